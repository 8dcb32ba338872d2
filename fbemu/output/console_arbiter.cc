#include "fbemu/output/console_arbiter.h"

#include <algorithm>

namespace fbemu {
namespace {

using std::chrono::milliseconds;

/// Time for a program to open the framebuffer again after the last close. A shell script opens it for each
/// line that it draws, and a mode set makes a monitor dark for a moment.
constexpr milliseconds close_grace{300};
/// The same after a program that only wrote: the shell's prompt is written on the VT meanwhile.
constexpr milliseconds prompt_grace{1000};
/// Ticks between two attempts to enable outputs that the card refused.
constexpr unsigned retry_ticks = 15;
/// Lookups of programs in each interval, as ClientVt::has_opened() counts them: each takes some microseconds.
constexpr unsigned lookups = 256;
constexpr milliseconds lookup_interval{10};

}  // namespace

ConsoleArbiter::ConsoleArbiter(CloneGroup& outputs, const drmclient::Card& card,
                               const ArbiterOptions& options, const base::Clock& clock)
    : outputs_(outputs), card_(card), on_close_(options.on_close), vts_(options.vts), clock_(clock) {}

int ConsoleArbiter::descriptor() const {
  return vts_ != nullptr ? vts_->descriptor() : -1;
}

void ConsoleArbiter::read_vts() {
  const auto changes = vts_->read();
  if (changes.used) vt_used_ = true;
  if (changes.switched) vt_switched_ = true;
}

// The writers and their VTs.

bool ConsoleArbiter::wants_writers() const {
  return vt_switched_ || (vts_unknown_ && clock_.now() >= refill_at_);
}

std::optional<ConsoleArbiter::Time> ConsoleArbiter::update_at() const {
  if (!vts_unknown_) return grace_end_;
  return grace_end_ ? std::min(*grace_end_, refill_at_) : refill_at_;
}

void ConsoleArbiter::set_writers(const Writers& writers) {
  wrote_only_ = writers.wrote_only;
  const auto active = vts_ != nullptr ? vts_->active() : std::optional<unsigned>();
  vts_unknown_ = false;
  if (writers.count == 0) {
    on_active_vt_ = !active || active == shown_on_;
  } else if (!active || writers.programs == nullptr) {
    on_active_vt_ = true;
  } else {
    look_for_writers(*writers.programs, *active);
  }
  has_writers_ = writers.count > 0;
  if (has_writers_ && on_active_vt_) shown_on_ = active;
  vt_switched_ = false;
}

void ConsoleArbiter::look_for_writers(WritingPrograms& programs, unsigned active) {
  // Programs may open a VT after they started, and switch to it.
  if (vt_switched_) programs.ask_anew();
  const auto now = clock_.now();
  if (now >= refill_at_) {
    look_budget_ = lookups;
    refill_at_ = now + lookup_interval;
  }
  switch (programs.any_on(active, look_budget_)) {
    case WritingPrograms::Answer::yes:
      on_active_vt_ = true;
      break;
    case WritingPrograms::Answer::no:
      on_active_vt_ = false;
      break;
    case WritingPrograms::Answer::unknown:
      vts_unknown_ = true;
      // A compositor on another VT asks for DRM master once, so the screen must be free at once. If the VT
      // did not change, the picture of the other writers stays until the answer is known.
      if (vt_switched_ || !has_writers_) on_active_vt_ = false;
      break;
  }
}

// The states.

void ConsoleArbiter::enter(State state) {
  if (state_ == State::watching_vt && state != State::watching_vt) vts_->stop_watching();
  if (state != State::close_grace) grace_end_.reset();
  state_ = state;
}

void ConsoleArbiter::update(bool vblank, bool has_writers) {
  if (!has_writers) {
    ticks_to_retry_ = 0;
    update_without_writers();
  } else if (on_active_vt_) {
    enter(State::shown);
    show(vblank);
  } else {
    enter(State::behind_other_vt);
    ticks_to_retry_ = 0;
    if (outputs_.is_enabled() || outputs_.waits_for_screen()) yield_to_active_vt();
  }
}

void ConsoleArbiter::present_failed() {
  ticks_to_retry_ = retry_ticks;
}

void ConsoleArbiter::show(bool vblank) {
  if (ticks_to_retry_ > 0 && vblank) --ticks_to_retry_;
  if (!outputs_.needs_enable() || ticks_to_retry_ > 0) return;
  // If another DRM master has the screen, it may release it in the next frame: no delay then.
  outputs_.enable_missing();
  if (outputs_.needs_enable() && !outputs_.waits_for_screen()) ticks_to_retry_ = retry_ticks;
}

void ConsoleArbiter::update_without_writers() {
  if (state_ == State::kept_behind) {
    if (!on_active_vt_) {
      if (outputs_.waits_for_screen()) outputs_.release();
      return;
    }
    outputs_.enable_missing();
    if (outputs_.is_enabled()) enter(State::kept);
    return;
  }
  if (!outputs_.is_enabled()) {
    if (outputs_.waits_for_screen()) outputs_.release();
    enter(State::idle);
    return;
  }
  switch (state_) {
    case State::idle:
    case State::behind_other_vt:
    case State::kept_behind:
      return;
    case State::shown:
    case State::kept:
    case State::close_grace:
      if (on_active_vt_) return start_grace_or_keep();
      return lose_vt();
    case State::watching_vt:
      if (!on_active_vt_) return lose_vt();
      if (!vt_used_) return;
      outputs_.release();
      return enter(State::idle);
  }
}

void ConsoleArbiter::start_grace_or_keep() {
  if (keeps_picture()) return enter(State::kept);
  enter(State::close_grace);
  const auto now = clock_.now();
  if (!grace_end_) grace_end_ = now + (wrote_only_ ? prompt_grace : close_grace);
  if (now >= *grace_end_) end_grace();
}

void ConsoleArbiter::end_grace() {
  if (is_to_be_watched() && vts_->watch_use()) {
    vt_used_ = false;
    return enter(State::watching_vt);
  }
  // Others may have changed the console meanwhile without an event, so the picture does not return.
  outputs_.release();
  enter(State::idle);
}

/// Leaves the screen to the active VT after the last writer closed the framebuffer.
void ConsoleArbiter::lose_vt() {
  enter(keeps_picture() ? State::kept_behind : State::idle);
  yield_to_active_vt();
}

bool ConsoleArbiter::is_to_be_watched() const {
  return wrote_only_ && vts_ != nullptr;
}

bool ConsoleArbiter::keeps_picture() const {
  // Without a console nothing else wants the screen.
  return on_close_ == OnClose::keep || !card_.has_console();
}

/// Releases the outputs. A compositor on the active VT asks for DRM master at this moment, once.
void ConsoleArbiter::yield_to_active_vt() {
  if (vts_->active_is_text()) {
    outputs_.release();
  } else {
    outputs_.release_without_restore();
  }
}

}  // namespace fbemu
