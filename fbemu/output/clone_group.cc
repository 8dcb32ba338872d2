#include "fbemu/output/clone_group.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fbemu {

using base::Result;
using drmclient::Output;
using drmclient::OutputId;
using drmclient::Power;

Display::Display(drmclient::Card& card, Output leading, Outputs outputs, const Shadow& shadow,
                 Statistics& statistics, std::optional<drmclient::Mode> any_mode, const base::Clock& clock)
    : card_(card),
      outputs_(outputs),
      shadow_(shadow),
      statistics_(statistics),
      clock_(clock),
      leading_(card, std::move(leading), shadow, statistics, std::move(any_mode), Screen::Role::leads,
               clock) {
  list_screens();
  if (outputs_ == Outputs::one) return;
  // Where the card does not answer, it is told when something is to be shown.
  if (const auto there = card_.probe()) add_followers(*there);
}

void Display::list_screens() {
  screens_ = {&leading_};
  for (const Follower& follower : followers_) screens_.push_back(follower.screen.get());
}

void Display::set_pages(ProgramPages* pages) {
  pages_ = pages;
  for (Screen* screen : screens_) screen->set_pages(pages);
}

const Screen& Display::pacing() const {
  const auto lit = std::ranges::find_if(screens_, &Screen::is_lit);
  return lit == screens_.end() ? leading_ : **lit;
}

void Display::describe(std::vector<OutputStatus>& statuses) const {
  statuses.resize(1 + followers_.size());
  auto status = statuses.begin();
  for (const Screen* screen : screens_) {
    // At every frame: what did not change is not copied.
    if (status->name != screen->output().name) status->name = screen->output().name;
    if (status->mode != screen->scene().mode) status->mode = screen->scene().mode;
    status->connected = screen->output().connected;
    status->lit = screen->is_lit();
    status->covered = screen->is_covered();
    status->error = screen->error();
    ++status;
  }
}

bool Display::is_lit() const {
  return pacing().is_lit();
}

bool Display::leading_is_wanted() const {
  return leading_.output().connected || followers_.empty() ||
         std::ranges::all_of(followers_, &Follower::refused);
}

bool Display::wants_light() const {
  if (leading_is_wanted() && !leading_.is_lit()) return true;
  return std::ranges::any_of(
      followers_, [](const Follower& follower) { return !follower.refused && !follower.screen->is_lit(); });
}

bool Display::waits_for_screen() const {
  return std::ranges::any_of(screens_, &Screen::waits_for_screen);
}

bool Display::has_work() const {
  return std::ranges::any_of(screens_, &Screen::has_work);
}

Result<void> Display::light(const Scene& wanted) {
  const auto lit = leading_.light(wanted);
  if (!lit) return lit;
  wanted_ = wanted;
  light_followers();
  return {};
}

void Display::set_scene(const Scene& wanted) {
  wanted_ = wanted;
  for (Screen* screen : screens_) screen->set_scene(wanted);
}

void Display::light_missing() {
  if (leading_is_wanted() && !leading_.is_lit() && !leading_.light_again() &&
      leading_.error().value() == ENOSPC && any_follower_lit()) {
    // The leading output comes first where there are not enough CRTCs for all.
    for (Follower& follower : followers_) follower.screen->give_back();
    static_cast<void>(leading_.light_again());
  }
  light_followers();
}

bool Display::any_follower_lit() const {
  return std::ranges::any_of(followers_, [](const Follower& follower) { return follower.screen->is_lit(); });
}

void Display::light_followers() {
  for (Follower& follower : followers_) light_follower(follower);
}

void Display::light_follower(Follower& follower) {
  Screen& screen = *follower.screen;
  if (follower.refused || screen.is_lit()) return;
  screen.set_scene(wanted_);
  screen.set_power(leading_.power());
  if (screen.light_again() || screen.waits_for_screen()) return;
  // A card that is gone may come back.
  follower.refused = screen.error().value() != ENODEV;
}

void Display::light_once_more() {
  for (Screen* screen : screens_) {
    if (screen->is_lit() && !screen->light_again()) screen->mark_stale();
  }
}

int Display::apply(const Scene& wanted) {
  Screen* first = &leading_;
  if (!leading_is_wanted() && is_lit()) {
    first = *std::ranges::find_if(screens_, &Screen::is_lit);
  }
  Scene kept = wanted;
  if (const int error = first->apply(wanted); error != 0) return error;
  wanted_ = std::move(kept);
  if (first != &leading_) leading_.set_scene(wanted);
  for (Follower& follower : followers_) {
    Screen& screen = *follower.screen;
    if (&screen == first) continue;
    if (!screen.is_lit()) {
      screen.set_scene(wanted);
    } else if (screen.apply(wanted) != 0) {
      screen.give_back();
      follower.refused = true;
    }
  }
  return 0;
}

void Display::give_back() {
  for (Screen* screen : screens_) screen->give_back();
  forgive_refusals();
}

void Display::leave() {
  for (Screen* screen : screens_) screen->leave();
  forgive_refusals();
}

/// What was refused may be possible now.
void Display::forgive_refusals() {
  for (Follower& follower : followers_) follower.refused = false;
}

void Display::set_power(Power power) {
  for (Screen* screen : screens_) screen->set_power(power);
}

void Display::drop_followers(const std::vector<Output>& outputs) {
  std::erase_if(followers_, [&](const Follower& follower) {
    const OutputId own = follower.screen->output().id;
    const auto now = std::ranges::find(outputs, own, &Output::id);
    if (now != outputs.end() && now->connected) return false;
    spdlog::info("output {} was disconnected", follower.screen->output().name);
    follower.screen->give_back();
    return true;
  });
  list_screens();
}

void Display::add_followers(const std::vector<Output>& outputs) {
  for (const Output& output : outputs) {
    const bool known =
        std::ranges::any_of(screens_, [&](const Screen* screen) { return screen->output().id == output.id; });
    if (known || !output.connected || output.modes.empty()) continue;
    spdlog::info("output {} is connected, and shows the framebuffer, too", output.name);
    auto screen = std::make_unique<Screen>(card_, output, shadow_, statistics_, std::nullopt,
                                           Screen::Role::follows, clock_);
    screen->set_pages(pages_);
    followers_.push_back({std::move(screen)});
    list_screens();
  }
}

void Display::handle_hotplug() {
  const auto outputs = card_.probe();
  if (!outputs) {
    leading_.report(outputs.error());
    return;
  }
  const bool was_lit = is_lit();
  if (outputs_ == Outputs::all) {
    drop_followers(*outputs);
    add_followers(*outputs);
    forgive_refusals();
  }
  // A monitor that was plugged in again may need its mode set again. Without one to show it on the picture
  // waits.
  for (Screen* screen : screens_) {
    if (screen->take_output(*outputs) && screen->is_lit() && !screen->light_again()) screen->mark_stale();
  }
  if (!was_lit) return;
  if (leading_is_wanted()) {
    light_missing();
  } else {
    take_over_from_leading();
  }
}

/// The others show the picture alone.
void Display::take_over_from_leading() {
  light_followers();
  if (!leading_.is_lit()) return;
  const bool any = any_follower_lit();
  leading_.give_back();
  if (any) return;
  // A card may have one CRTC for several connectors.
  forgive_refusals();
  light_missing();
}

void Display::mark_stale() noexcept {
  for (Screen* screen : screens_) screen->mark_stale();
}

void Display::look_for_other_masters() {
  for (Screen* screen : screens_) screen->look_for_other_masters();
}

void Display::upload(const DamageLog::Damage& damage, bool live) {
  const auto ranges = live ? std::vector<ByteRange>() : damage.all();
  for (Screen* screen : screens_) {
    if (!screen->is_lit()) {
      // Lighting it uploads everything.
    } else if (screen->power() != Power::on || screen->is_covered()) {
      screen->mark_stale();
    } else if (live || screen->is_stale()) {
      screen->upload_all();
    } else {
      screen->upload_damage(ranges);
    }
  }
}

bool Display::present() {
  std::vector<Screen*> presenting;
  std::vector<drmclient::Frame> frames;
  for (Screen* screen : screens_) {
    if (const auto frame = screen->next_frame()) {
      presenting.push_back(screen);
      frames.push_back(*frame);
    }
  }
  if (frames.empty()) return true;
  const auto results = card_.present_all(frames);
  bool there = true;
  for (size_t i = 0; i < presenting.size(); ++i) there = presenting[i]->presented(results.at(i)) && there;
  return there;
}

}  // namespace fbemu
