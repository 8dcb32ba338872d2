#include "fbemu/output/clone_group.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace fbemu {
namespace {

bool has_failed(const std::unique_ptr<OutputPresenter>& presenter) {
  return presenter->state() == OutputState::failed;
}

}  // namespace

using base::Result;
using drmclient::Output;
using drmclient::Power;

CloneGroup::CloneGroup(drmclient::Card& card, Output& primary, Outputs outputs,
                       const BackingStore& backing_store, Statistics& statistics,
                       std::optional<drmclient::Mode> follow_monitor_mode, const base::Clock& clock)
    : card_(card),
      outputs_(outputs),
      backing_store_(backing_store),
      statistics_(statistics),
      clock_(clock),
      primary_(card, primary, backing_store, statistics, std::move(follow_monitor_mode),
               OutputPresenter::Role::primary, clock) {
  list_presenters();
  if (outputs_ == Outputs::one) return;
  // If the card cannot be probed, the error is reported when something is to be shown.
  if (const auto there = card_.probe()) add_clones(*there);
}

void CloneGroup::list_presenters() {
  presenters_ = {&primary_};
  for (const auto& clone : clones_) presenters_.push_back(clone.get());
}

void CloneGroup::set_pages(ProgramPages* pages) {
  pages_ = pages;
  for (OutputPresenter* presenter : presenters_) presenter->set_pages(pages);
}

const OutputPresenter& CloneGroup::pacing() const {
  const auto enabled = std::ranges::find_if(presenters_, &OutputPresenter::is_enabled);
  return enabled == presenters_.end() ? primary_ : **enabled;
}

void CloneGroup::describe(std::vector<OutputStatus>& statuses) const {
  statuses.resize(1 + clones_.size());
  auto status = statuses.begin();
  for (const OutputPresenter* presenter : presenters_) {
    // Runs at every frame, so unchanged strings are not copied.
    if (status->name != presenter->info().name) status->name = presenter->info().name;
    if (status->mode != presenter->fb_state().mode) status->mode = presenter->fb_state().mode;
    status->connected = presenter->info().connected;
    status->enabled = presenter->is_enabled();
    status->preempted = presenter->is_preempted();
    status->error = presenter->error();
    ++status;
  }
}

bool CloneGroup::is_enabled() const {
  return pacing().is_enabled();
}

bool CloneGroup::primary_is_wanted() const {
  return primary_.info().connected || clones_.empty() || std::ranges::all_of(clones_, has_failed);
}

bool CloneGroup::needs_enable() const {
  if (primary_is_wanted() && !primary_.is_enabled()) return true;
  return std::ranges::any_of(clones_,
                             [](const auto& clone) { return !has_failed(clone) && !clone->is_enabled(); });
}

bool CloneGroup::waits_for_screen() const {
  return std::ranges::any_of(presenters_, &OutputPresenter::waits_for_screen);
}

bool CloneGroup::has_work() const {
  return std::ranges::any_of(presenters_, &OutputPresenter::has_work);
}

Result<void> CloneGroup::enable(const FramebufferState& wanted) {
  const auto enabled = primary_.enable(wanted);
  if (!enabled) return enabled;
  wanted_ = wanted;
  enable_clones();
  return {};
}

void CloneGroup::set_fb_state(const FramebufferState& wanted) {
  wanted_ = wanted;
  for (OutputPresenter* presenter : presenters_) presenter->set_fb_state(wanted);
}

void CloneGroup::enable_missing() {
  if (primary_is_wanted() && !primary_.is_enabled() && !primary_.enable_again() &&
      drmclient::is_card_full(primary_.error()) && any_clone_enabled()) {
    // The primary output takes precedence if there are not enough CRTCs for all.
    for (const auto& clone : clones_) clone->release();
    static_cast<void>(primary_.enable_again());
  }
  enable_clones();
}

bool CloneGroup::any_clone_enabled() const {
  return std::ranges::any_of(clones_, [](const auto& clone) { return clone->is_enabled(); });
}

void CloneGroup::enable_clones() {
  for (const auto& clone : clones_) enable_clone(*clone);
}

void CloneGroup::enable_clone(OutputPresenter& clone) {
  if (clone.state() == OutputState::failed || clone.is_enabled()) return;
  clone.set_fb_state(wanted_);
  clone.set_power(primary_.power());
  static_cast<void>(clone.enable_again());
}

void CloneGroup::enable_once_more() {
  for (OutputPresenter* presenter : presenters_) {
    if (presenter->is_enabled() && !presenter->enable_again()) presenter->mark_stale();
  }
}

Result<void> CloneGroup::apply(const FramebufferState& wanted) {
  OutputPresenter* first = &primary_;
  if (!primary_is_wanted() && is_enabled()) {
    first = *std::ranges::find_if(presenters_, &OutputPresenter::is_enabled);
  }
  FramebufferState kept = wanted;
  BASE_TRY(first->apply(wanted));
  wanted_ = std::move(kept);
  if (first != &primary_) primary_.set_fb_state(wanted);
  for (const auto& clone : clones_) {
    if (clone.get() == first) continue;
    if (!clone->is_enabled()) {
      clone->set_fb_state(wanted);
    } else if (!clone->apply(wanted)) {
      clone->exclude();
    }
  }
  return {};
}

void CloneGroup::release() {
  for (OutputPresenter* presenter : presenters_) presenter->release();
  retry_clones();
}

void CloneGroup::release_without_restore() {
  for (OutputPresenter* presenter : presenters_) presenter->release_without_restore();
  retry_clones();
}

/// Lets clones that failed be tried again, because a CRTC or memory may be free now.
void CloneGroup::retry_clones() {
  for (const auto& clone : clones_) clone->retry();
}

void CloneGroup::set_power(Power power) {
  for (OutputPresenter* presenter : presenters_) presenter->set_power(power);
}

void CloneGroup::drop_clones() {
  std::erase_if(clones_, [](const auto& clone) {
    if (clone->output().info().connected) return false;
    spdlog::info("output {} was disconnected", clone->info().name);
    clone->release();
    return true;
  });
  list_presenters();
}

void CloneGroup::add_clones(const std::vector<Output*>& outputs) {
  for (Output* const output : outputs) {
    const bool known = std::ranges::any_of(
        presenters_, [&](const OutputPresenter* presenter) { return &presenter->output() == output; });
    const drmclient::OutputInfo& info = output->info();
    if (known || !info.connected || info.modes.empty()) continue;
    spdlog::info("output {} is connected, and shows the framebuffer, too", info.name);
    auto presenter = std::make_unique<OutputPresenter>(card_, *output, backing_store_, statistics_,
                                                       std::nullopt, OutputPresenter::Role::clone, clock_);
    presenter->set_pages(pages_);
    clones_.push_back(std::move(presenter));
    list_presenters();
  }
}

void CloneGroup::handle_hotplug() {
  const auto outputs = card_.probe();
  if (!outputs) {
    primary_.report(outputs.error());
    return;
  }
  const bool was_enabled = is_enabled();
  if (outputs_ == Outputs::all) {
    drop_clones();
    add_clones(*outputs);
    retry_clones();
  }
  // A monitor that was plugged in again may need its mode set again.
  for (OutputPresenter* presenter : presenters_) {
    if (presenter->update_info() && presenter->is_enabled() && !presenter->enable_again())
      presenter->mark_stale();
  }
  if (!was_enabled) return;
  if (primary_is_wanted()) {
    enable_missing();
  } else {
    take_over_from_primary();
  }
}

/// Lets the clones show the picture alone.
void CloneGroup::take_over_from_primary() {
  enable_clones();
  if (!primary_.is_enabled()) return;
  const bool any = any_clone_enabled();
  primary_.release();
  if (any) return;
  // The CRTC of the primary output is free now; a card may have one for several connectors.
  retry_clones();
  enable_missing();
}

void CloneGroup::mark_stale() noexcept {
  for (OutputPresenter* presenter : presenters_) presenter->mark_stale();
}

void CloneGroup::check_preemption() {
  for (OutputPresenter* presenter : presenters_) presenter->check_preemption();
}

void CloneGroup::upload(const DamageLog::Damage& damage, bool live) {
  const auto ranges = live ? std::vector<ByteRange>() : damage.all();
  for (OutputPresenter* presenter : presenters_) {
    if (!presenter->is_enabled()) {
      // Enabling it will upload everything.
    } else if (presenter->power() != Power::on || presenter->is_preempted()) {
      presenter->mark_stale();
    } else if (live || presenter->is_stale()) {
      presenter->upload_all();
    } else {
      presenter->upload_damage(ranges);
    }
  }
}

bool CloneGroup::present() {
  std::vector<OutputPresenter*> presenting;
  std::vector<drmclient::Frame> frames;
  for (OutputPresenter* presenter : presenters_) {
    if (const auto frame = presenter->next_frame()) {
      presenting.push_back(presenter);
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
