#include "fbemu/output/console_arbiter.h"

#include <algorithm>
#include <utility>

namespace fbemu {

namespace {

using std::chrono::milliseconds;

/// A program that closes the framebuffer may be back at once (a shell script does so for each line it draws),
/// and a mode set makes a monitor dark for a moment.
constexpr milliseconds linger{300};
/// What is written on the terminal so soon after a program's end is the shell's prompt.
constexpr milliseconds time_for_prompt{1000};
/// A card that refuses to be lit is tried again at this distance.
constexpr unsigned retry_ticks = 15;
/// What is asked of the system about programs at a time, as ProgramTerminal::has_opened() counts it, and the
/// time until as much may be asked again. A descriptor takes a few microseconds.
constexpr unsigned looks = 256;
constexpr milliseconds looks_interval{10};

}  // namespace

ScreenSharing::ScreenSharing(Display& display, const drmclient::Card& card, const ScreenPolicy& policy,
                             const base::Clock& clock)
    : display_(display),
      card_(card),
      on_close_(policy.on_close),
      terminals_(policy.terminals),
      clock_(clock) {}

int ScreenSharing::descriptor() const {
  return terminals_ != nullptr ? terminals_->descriptor() : -1;
}

void ScreenSharing::read_terminals() {
  const auto changes = terminals_->read();
  if (changes.used) terminal_used_ = true;
  if (changes.switched) terminal_switched_ = true;
}

bool ScreenSharing::wants_writers() const {
  return terminal_switched_ || (programs_left_ && clock_.now() >= refill_at_);
}

std::optional<ScreenSharing::Time> ScreenSharing::update_at() const {
  if (!programs_left_) return give_back_at_;
  return give_back_at_ ? std::min(*give_back_at_, refill_at_) : refill_at_;
}

void ScreenSharing::set_writers(const Writers& writers) {
  wrote_only_ = writers.wrote_only;
  const auto front = terminals_ != nullptr ? terminals_->front() : std::optional<unsigned>();
  programs_left_ = false;
  if (writers.count == 0) {
    in_front_ = !front || front == shown_on_;
  } else if (!front || writers.programs == nullptr) {
    in_front_ = true;
  } else {
    look_for_writers(*writers.programs, *front);
  }
  has_writers_ = writers.count > 0;
  if (has_writers_ && in_front_) shown_on_ = front;
  terminal_switched_ = false;
}

void ScreenSharing::look_for_writers(WritingPrograms& programs, unsigned front) {
  // Programs open a terminal of their own later, and change to it.
  if (terminal_switched_) programs.ask_anew();
  const auto now = clock_.now();
  if (now >= refill_at_) {
    look_budget_ = looks;
    refill_at_ = now + looks_interval;
  }
  switch (programs.any_on(front, look_budget_)) {
    case WritingPrograms::Answer::yes:
      in_front_ = true;
      break;
    case WritingPrograms::Answer::no:
      in_front_ = false;
      break;
    case WritingPrograms::Answer::unknown:
      programs_left_ = true;
      // A compositor on a new terminal asks for the screen once. On the same one, the picture of other
      // writers stays until the answer is known.
      if (terminal_switched_ || !has_writers_) in_front_ = false;
      break;
  }
}

void ScreenSharing::update(bool vblank, bool has_writers) {
  if (has_writers) {
    light_for_writers(vblank);
  } else {
    keep_or_give_back();
  }
}

void ScreenSharing::present_failed() {
  ticks_to_retry_ = retry_ticks;
}

void ScreenSharing::light_for_writers(bool vblank) {
  give_back_at_.reset();
  may_give_back_ = true;
  kept_ = false;
  stop_watching();
  if (!in_front_) {
    ticks_to_retry_ = 0;
    if (display_.is_lit() || display_.waits_for_screen()) make_room();
    return;
  }
  if (ticks_to_retry_ > 0 && vblank) --ticks_to_retry_;
  if (!display_.wants_light() || ticks_to_retry_ > 0) return;
  // Whoever has the screen now may leave it in the next frame.
  display_.light_missing();
  if (display_.wants_light() && !display_.waits_for_screen()) ticks_to_retry_ = retry_ticks;
}

/// Without writers.
void ScreenSharing::keep_or_give_back() {
  ticks_to_retry_ = 0;
  if (!display_.is_lit()) {
    if (display_.waits_for_screen()) display_.give_back();
    if (kept_ && in_front_) display_.light_missing();
    return;
  }
  if (!may_give_back_) return;
  if (!in_front_) {
    keep_behind();
    return;
  }
  if (watching_) {
    if (!terminal_used_) return;
  } else {
    if (keeps_picture()) return;
    const auto now = clock_.now();
    if (!give_back_at_) give_back_at_ = now + (wrote_only_ ? time_for_prompt : linger);
    if (now < *give_back_at_) return;
    give_back_at_.reset();
    if (is_to_be_watched() && terminals_->watch_use()) {
      watching_ = true;
      terminal_used_ = false;
      return;
    }
  }
  may_give_back_ = false;
  // As nobody tells what others did to the console meanwhile, the end of the picture is for good.
  display_.give_back();
  stop_watching();
}

/// Another terminal came to the front of a picture whose programs have ended.
void ScreenSharing::keep_behind() {
  kept_ = keeps_picture();
  may_give_back_ = kept_;
  give_back_at_.reset();
  make_room();
}

bool ScreenSharing::is_to_be_watched() const {
  return wrote_only_ && terminals_ != nullptr;
}

bool ScreenSharing::keeps_picture() const {
  // Without a console nothing else wants the screen.
  return on_close_ == OnClose::keep || !card_.has_console();
}

/// Another terminal is in front. A compositor on it asks for DRM master at this moment, once.
void ScreenSharing::make_room() {
  if (terminals_->front_is_text()) {
    display_.give_back();
  } else {
    display_.leave();
  }
  stop_watching();
}

void ScreenSharing::stop_watching() {
  if (std::exchange(watching_, false)) terminals_->stop_watching();
}

}  // namespace fbemu
