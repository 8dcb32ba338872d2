#include "fbemu/output/output_presenter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace fbemu {
namespace {

using base::Result;
using drmclient::is_master_conflict;
using drmclient::is_unplugged;
using drmclient::PixelFormat;
using drmclient::Power;

/// Time for which a conflict of DRM masters is not logged: two clients that hold DRM master for the length of
/// a call meet now and then.
constexpr std::chrono::milliseconds other_daemon_timeout{250};

/// Returns the formats to try in this order: most bits first, because a program may change the depth without
/// a mode set; then the program's own format, which needs no conversion; then the driver's order. A driver
/// may refuse the first: cirrus has a narrow pitch register.
std::vector<PixelFormat> formats_to_try(const drmclient::OutputInfo& output,
                                        const ProgramFormat& program_format) {
  const std::optional<PixelFormat> same = scanout_equivalent(program_format);
  if (output.formats.empty()) return {same.value_or(PixelFormat::xrgb8888)};
  std::vector<PixelFormat> formats = output.formats;
  std::ranges::stable_sort(formats, std::greater<>(), [&](PixelFormat format) {
    return 2 * drmclient::bytes_per_pixel(format) + (format == same ? 1 : 0);
  });
  return formats;
}

/// Returns true if the error may pass without a change of the request.
bool may_pass(const std::error_code& error) {
  return is_master_conflict(error) || is_unplugged(error) || error == std::errc::operation_not_permitted;
}

/// Returns a text for the log.
std::string cause_of(const std::error_code& error) {
  if (is_master_conflict(error)) return "another program has the screen (" + error.message() + ")";
  // There may be fewer CRTCs than outputs (Output::set_mode()).
  if (drmclient::is_card_full(error)) return "the card has no CRTC or no memory left for it";
  return error.message();
}

}  // namespace

OutputPresenter::OutputPresenter(drmclient::Card& card, drmclient::Output& output,
                                 const BackingStore& backing_store, Statistics& statistics,
                                 std::optional<drmclient::Mode> follow_monitor_mode, Role role,
                                 const base::Clock& clock)
    : card_(card),
      output_(output),
      info_(output.info()),
      backing_store_(backing_store),
      statistics_(statistics),
      clock_(clock),
      monitor_modes_(info_.modes),
      follow_monitor_mode_(std::move(follow_monitor_mode)),
      role_(role),
      other_monitor_(role == Role::clone) {}

/// Returns `wanted` with a mode of this output. Programs use the modes of the first monitor; another monitor
/// shows the view scaled as FramebufferState::scaling says.
FramebufferState OutputPresenter::fitted(const FramebufferState& wanted) const {
  FramebufferState fb_state = wanted;
  if (!other_monitor_) return fb_state;
  const auto same_size =
      drmclient::choose_listed_mode(monitor_modes_, wanted.mode.size(), wanted.mode.refresh_millihertz());
  fb_state.mode = wanted.mode == follow_monitor_mode_ || !same_size ? monitor_modes_.front() : *same_size;
  return fb_state;
}

/// Replaces the state; changes nothing if it throws.
void OutputPresenter::take_over(const FramebufferState& wanted) {
  FramebufferState fb_state = fitted(wanted);
  FramebufferState kept = wanted;
  wanted_ = std::move(kept);
  fb_state_ = std::move(fb_state);
}

std::string OutputPresenter::name() const {
  const drmclient::CardInfo& info = card_.info();
  return "output " + info_.name + " of the card " +
         (info.path.empty() ? info.driver : info.path + " (" + info.driver + ")");
}

Result<void> OutputPresenter::check(const FramebufferState& wanted) {
  const FramebufferState fb_state = fitted(wanted);
  Result<void> first_error;
  for (const PixelFormat format : formats_to_try(info_, fb_state.layout.format)) {
    const auto buffer = card_.create_buffer(fb_state.mode.size(), format);
    const auto checked = buffer ? output_.check_mode(fb_state.mode, **buffer)
                                : Result<void>(tl::make_unexpected(buffer.error()));
    // A conflict of DRM masters prevents the check; that is no refusal.
    if (checked || (may_pass(checked.error()) && !is_unplugged(checked.error()))) return {};
    if (first_error) first_error = checked;
  }
  return first_error;
}

Result<void> OutputPresenter::enable(const FramebufferState& wanted) {
  Result<void> first_error;
  FramebufferState kept = wanted;
  for (const PixelFormat format : formats_to_try(info_, wanted.layout.format)) {
    const auto enabled = enable_with(fitted(wanted), format);
    if (enabled) {
      wanted_ = std::move(kept);
      return enabled;
    }
    if (first_error) first_error = enabled;
    if (may_pass(enabled.error())) break;
  }
  handle_failure(first_error.error());
  return first_error;
}

/// Sets the state after a failed attempt to enable the output.
void OutputPresenter::handle_failure(const std::error_code& error) {
  if (is_unplugged(error) && !is_enabled()) {
    handle(OutputEvent::card_unplugged);
    drop_buffers();  // the card's node must be closed for the card to return
  } else if (front_.memory && is_master_conflict(error)) {
    handle(OutputEvent::enable_conflict);
  } else {
    handle(OutputEvent::enable_failed);
  }
}

Result<void> OutputPresenter::enable_with(FramebufferState fb_state, PixelFormat format) {
  Buffer buffer{BASE_TRY(card_.create_buffer(fb_state.mode.size(), format)), {}};
  const bool live = BASE_TRY(upload_all_to(buffer, fb_state));
  if (const auto set = output_.set_mode(fb_state.mode, *buffer.memory, {}); !set) {
    if (!is_enabled() && card_.info().shared && is_master_conflict(set.error())) front_ = std::move(buffer);
    return set;
  }
  // Nothing may throw from here on, because the buffer is scanned out.
  ++statistics_.mode_sets;
  fb_state_ = std::move(fb_state);
  front_ = std::move(buffer);
  spare_ = {};
  format_ = format;
  handle(OutputEvent::mode_set);
  flips_ = false;
  power_ = Power::on;
  unpresented_.clear();
  // A mode set may clear scan-out memory: bochs clears the start of it.
  stale_ = card_.info().shared || !live;
  return {};
}

bool OutputPresenter::enable_again() {
  const Power wanted = power_;
  // If a buffer is kept, the check costs less than an attempt.
  auto enabled = front_.memory ? card_.check_master() : Result<void>();
  if (enabled) {
    enabled = enable(wanted_);
  } else {
    handle_failure(enabled.error());
  }
  report(enabled ? std::error_code() : enabled.error());
  if (enabled) set_power(wanted);
  return enabled.has_value();
}

Result<void> OutputPresenter::apply(const FramebufferState& wanted) {
  const FramebufferState fb_state = fitted(wanted);
  if (fb_state.mode != fb_state_.mode) {
    const auto taken = is_enabled() ? change_mode(wanted) : check(wanted);
    if (!taken) {
      // A program may repeat the request in a loop, so refusals are logged at an interval.
      if (mode_error_.update(taken.error(), clock_.now()) == ReportedError::News::fails) {
        spdlog::warn("{} refused the mode {}: {}", name(), fb_state.mode.name, cause_of(taken.error()));
      }
      return taken;
    }
    mode_error_.clear();
    take_over(wanted);
    return {};
  }
  const bool changed = fb_state != fb_state_;
  take_over(wanted);
  if (!changed) return {};
  stale_ = true;
  flips_ = true;
  return {};
}

Result<void> OutputPresenter::change_mode(const FramebufferState& wanted) {
  const auto enabled = enable(wanted);
  if (enabled || !card_.info().shared || !is_master_conflict(enabled.error())) return enabled;
  // The program continues as if the state were shown. A buffer of the new size waits for DRM master.
  release();
  if (const auto later = enable(wanted); !later && !is_master_conflict(later.error())) return later;
  return {};
}

void OutputPresenter::release() {
  if (is_enabled()) output_.release();
  handle(OutputEvent::released);
  drop_buffers();
}

void OutputPresenter::release_without_restore() {
  if (is_enabled()) output_.release_without_restore();
  handle(OutputEvent::released);
  drop_buffers();
}

void OutputPresenter::exclude() {
  release();
  handle(OutputEvent::enable_failed);
}

void OutputPresenter::retry() {
  if (state_ == OutputState::failed) handle(OutputEvent::released);
}

void OutputPresenter::drop_buffers() {
  unpresented_.clear();
  stale_ = false;
  flips_ = false;
  spare_ = {};
  front_ = {};
}

void OutputPresenter::set_power(Power power) {
  if (power == power_) return;
  // A disabled output takes the level when it is enabled.
  if (!is_enabled()) {
    power_ = power;
    return;
  }
  // As in the kernel's emulation, a failure is not reported to the program; the next change tries again. It
  // is logged once, because a program may request changes in a loop.
  const auto set = output_.set_power(power);
  const auto news = power_error_.update(set ? std::error_code() : set.error(), clock_.now());
  if (news == ReportedError::News::fails) {
    spdlog::warn("cannot change the power of {}: {}; the next FBIOBLANK tries again", name(),
                 set.error().message());
  } else if (news == ReportedError::News::works) {
    spdlog::info("the power of {} can be changed again", name());
  }
  if (!set) return;
  power_ = power;
  if (power == Power::on) stale_ = true;
}

bool OutputPresenter::update_info() {
  const drmclient::OutputInfo& now = output_.info();
  if (now.connected != info_.connected) {
    spdlog::info("output {} was {}", info_.name, now.connected ? "connected" : "disconnected");
  }
  const bool back = now.connected && !info_.connected;
  // A disconnected output has no modes; the next monitor is compared with the last one.
  const bool other_modes = now.connected && !now.modes.empty() && now.modes != monitor_modes_;
  info_ = now;
  if (other_modes) {
    monitor_modes_ = info_.modes;
    other_monitor_ = true;
    if (!is_enabled()) take_over(wanted_);
  }
  return back || other_modes;
}

void OutputPresenter::check_preemption() {
  if (state_ == OutputState::enabled && !output_.scans_out_our_fb()) handle(OutputEvent::fb_replaced);
  if (!is_preempted()) return;
  const auto available = card_.check_master();
  if (!available && !is_unplugged(available.error())) {
    report(available.error());
    return;
  }
  handle(OutputEvent::master_released);
  stale_ = true;
}

void OutputPresenter::report(std::error_code error) {
  const auto timeout = is_master_conflict(error) ? other_daemon_timeout : std::chrono::milliseconds(0);
  const auto news = update_error_.update(error, clock_.now(), timeout);
  if (news == ReportedError::News::works) spdlog::info("{} is updated again", name());
  if (news != ReportedError::News::fails) return;
  const bool left_out = role_ == Role::clone && !is_enabled() && !may_pass(error);
  spdlog::warn("{} cannot be updated: {}; {}", name(), cause_of(error),
               left_out ? "it is left out" : "trying again");
}

}  // namespace fbemu
