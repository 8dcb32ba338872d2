#include "fbemu/output/console_arbiter.h"

#include <algorithm>
#include <utility>

namespace fbemu {

namespace {

using std::chrono::milliseconds;

/// A program that closes the framebuffer may be back at once (a shell script does so for each line it draws),
/// and a mode set makes a monitor dark for a moment.
constexpr milliseconds close_grace{300};
/// What is written on the terminal so soon after a program's end is the shell's prompt.
constexpr milliseconds time_for_prompt{1000};
/// A card that refuses to be enabled is tried again at this distance.
constexpr unsigned retry_ticks = 15;
/// What is asked of the system about programs at a time, as ClientVt::has_opened() counts it, and the
/// time until as much may be asked again. A descriptor takes a few microseconds.
constexpr unsigned looks = 256;
constexpr milliseconds looks_interval{10};

}  // namespace

ConsoleArbiter::ConsoleArbiter(CloneGroup& outputs, const drmclient::Card& card,
                               const ArbiterOptions& options, const base::Clock& clock)
    : outputs_(outputs),
      card_(card),
      on_close_(options.on_close),
      terminals_(options.terminals),
      clock_(clock) {}

int ConsoleArbiter::descriptor() const {
  return terminals_ != nullptr ? terminals_->descriptor() : -1;
}

void ConsoleArbiter::read_terminals() {
  const auto changes = terminals_->read();
  if (changes.used) terminal_used_ = true;
  if (changes.switched) terminal_switched_ = true;
}

bool ConsoleArbiter::wants_writers() const {
  return terminal_switched_ || (programs_left_ && clock_.now() >= refill_at_);
}

std::optional<ConsoleArbiter::Time> ConsoleArbiter::update_at() const {
  if (!programs_left_) return release_at_;
  return release_at_ ? std::min(*release_at_, refill_at_) : refill_at_;
}

void ConsoleArbiter::set_writers(const Writers& writers) {
  wrote_only_ = writers.wrote_only;
  const auto active = terminals_ != nullptr ? terminals_->active() : std::optional<unsigned>();
  programs_left_ = false;
  if (writers.count == 0) {
    on_active_vt_ = !active || active == shown_on_;
  } else if (!active || writers.programs == nullptr) {
    on_active_vt_ = true;
  } else {
    look_for_writers(*writers.programs, *active);
  }
  has_writers_ = writers.count > 0;
  if (has_writers_ && on_active_vt_) shown_on_ = active;
  terminal_switched_ = false;
}

void ConsoleArbiter::look_for_writers(WritingPrograms& programs, unsigned active) {
  // Programs open a terminal of their own later, and change to it.
  if (terminal_switched_) programs.ask_anew();
  const auto now = clock_.now();
  if (now >= refill_at_) {
    look_budget_ = looks;
    refill_at_ = now + looks_interval;
  }
  switch (programs.any_on(active, look_budget_)) {
    case WritingPrograms::Answer::yes:
      on_active_vt_ = true;
      break;
    case WritingPrograms::Answer::no:
      on_active_vt_ = false;
      break;
    case WritingPrograms::Answer::unknown:
      programs_left_ = true;
      // A compositor on a new terminal asks for the screen once. On the same one, the picture of other
      // writers stays until the answer is known.
      if (terminal_switched_ || !has_writers_) on_active_vt_ = false;
      break;
  }
}

void ConsoleArbiter::update(bool vblank, bool has_writers) {
  if (has_writers) {
    enable_for_writers(vblank);
  } else {
    keep_or_release();
  }
}

void ConsoleArbiter::present_failed() {
  ticks_to_retry_ = retry_ticks;
}

void ConsoleArbiter::enable_for_writers(bool vblank) {
  release_at_.reset();
  may_release_ = true;
  kept_ = false;
  stop_watching();
  if (!on_active_vt_) {
    ticks_to_retry_ = 0;
    if (outputs_.is_enabled() || outputs_.waits_for_screen()) yield_to_active_vt();
    return;
  }
  if (ticks_to_retry_ > 0 && vblank) --ticks_to_retry_;
  if (!outputs_.needs_enable() || ticks_to_retry_ > 0) return;
  // Whoever has the screen now may leave it in the next frame.
  outputs_.enable_missing();
  if (outputs_.needs_enable() && !outputs_.waits_for_screen()) ticks_to_retry_ = retry_ticks;
}

/// Without writers.
void ConsoleArbiter::keep_or_release() {
  ticks_to_retry_ = 0;
  if (!outputs_.is_enabled()) {
    if (outputs_.waits_for_screen()) outputs_.release();
    if (kept_ && on_active_vt_) outputs_.enable_missing();
    return;
  }
  if (!may_release_) return;
  if (!on_active_vt_) {
    keep_behind();
    return;
  }
  if (watching_) {
    if (!terminal_used_) return;
  } else {
    if (keeps_picture()) return;
    const auto now = clock_.now();
    if (!release_at_) release_at_ = now + (wrote_only_ ? time_for_prompt : close_grace);
    if (now < *release_at_) return;
    release_at_.reset();
    if (is_to_be_watched() && terminals_->watch_use()) {
      watching_ = true;
      terminal_used_ = false;
      return;
    }
  }
  may_release_ = false;
  // As nobody tells what others did to the console meanwhile, the end of the picture is for good.
  outputs_.release();
  stop_watching();
}

/// Another terminal came to the active of a picture whose programs have ended.
void ConsoleArbiter::keep_behind() {
  kept_ = keeps_picture();
  may_release_ = kept_;
  release_at_.reset();
  yield_to_active_vt();
}

bool ConsoleArbiter::is_to_be_watched() const {
  return wrote_only_ && terminals_ != nullptr;
}

bool ConsoleArbiter::keeps_picture() const {
  // Without a console nothing else wants the screen.
  return on_close_ == OnClose::keep || !card_.has_console();
}

/// Another terminal is in front. A compositor on it asks for DRM master at this moment, once.
void ConsoleArbiter::yield_to_active_vt() {
  if (terminals_->active_is_text()) {
    outputs_.release();
  } else {
    outputs_.release_without_restore();
  }
  stop_watching();
}

void ConsoleArbiter::stop_watching() {
  if (std::exchange(watching_, false)) terminals_->stop_watching();
}

}  // namespace fbemu
