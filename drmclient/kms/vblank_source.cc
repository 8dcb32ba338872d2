#include "drmclient/kms/vblank_source.h"

#include <xf86drm.h>

#include <cerrno>
#include <utility>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// So long the driver's event is waited for.
constexpr int timeout_frames = 6;
/// So many lost events in a row, and the driver is not asked again.
constexpr unsigned enough_lost_events = 3;

/// Returns true if a vblank request failed with `error` only at this moment: EINVAL if the CRTC is off, or
/// EBUSY.
bool is_momentary(const std::error_code& error) {
  return error.value() == EINVAL || error.value() == EBUSY;
}

}  // namespace

VblankSource::VblankSource(uint64_t user_data, const base::Clock& clock)
    : user_data_(user_data), clock_(clock) {}

void VblankSource::start(const Mode& mode) {
  period_ = mode.frame_period();
  start_ = clock_.now();
  kind_ = Kind::sequence;
  last_sequence_ = 0;
  lost_events_ = 0;
  just_passed_ = false;
  // The time of the request before was meant for the frames of the mode before. If the timer cannot be set,
  // it still has that time.
  if (requested_) static_cast<void>(arm());
}

uint64_t VblankSource::frames_since_start(steady_clock::time_point now) const {
  return static_cast<uint64_t>((now - start_) / period_);
}

steady_clock::time_point VblankSource::frame_time(uint64_t frame) const {
  return start_ + nanoseconds(period_.count() * static_cast<int64_t>(frame));
}

/// Sets the timer to the next frame, or while the driver has the request, to watch over that.
base::Result<void> VblankSource::arm() {
  const auto now = clock_.now();
  due_ = at_driver_ ? now + timeout_frames * period_ : frame_time(frames_since_start(now) + 1);
  return timer_.set(due_);
}

base::Result<void> VblankSource::request(const DrmDevice& device, const KmsPipe& pipe, bool hardware) {
  if (requested_) return {};
  at_driver_ = hardware && kind_ != Kind::timer && ask_driver(device, pipe).has_value();
  BASE_TRY(arm());
  requested_ = true;
  return {};
}

void VblankSource::presented(steady_clock::time_point begin, steady_clock::time_point end) {
  just_passed_ = end - begin > period_ / 4;
  presented_at_ = end;
}

base::Result<void> VblankSource::ask_driver(const DrmDevice& device, const KmsPipe& pipe) {
  // An absolute number that is already reached gives the event at once.
  const bool passed =
      std::exchange(just_passed_, false) && last_sequence_ != 0 && clock_.now() - presented_at_ < period_ / 2;
  if (kind_ == Kind::sequence) {
    const auto asked =
        drm_result(::drmCrtcQueueSequence(device.fd(), pipe.crtc_id, passed ? 0 : DRM_CRTC_SEQUENCE_RELATIVE,
                                          passed ? last_sequence_ + 1 : 1, nullptr, user_data_));
    if (asked) return {};
    if (is_momentary(asked.error())) return asked;
    kind_ = Kind::wait_vblank;
  }
  drmVBlank vblank{};
  vblank.request.type = static_cast<drmVBlankSeqType>(
      (passed ? DRM_VBLANK_ABSOLUTE : DRM_VBLANK_RELATIVE) | DRM_VBLANK_EVENT |
      ((pipe.crtc_index << DRM_VBLANK_HIGH_CRTC_SHIFT) & DRM_VBLANK_HIGH_CRTC_MASK));
  vblank.request.sequence = passed ? static_cast<uint32_t>(last_sequence_ + 1) : 1;
  vblank.request.signal = user_data_;
  const auto asked = drm_result(::drmWaitVBlank(device.fd(), &vblank));
  if (!asked && !is_momentary(asked.error())) kind_ = Kind::timer;
  return asked;
}

std::optional<VblankEvent> VblankSource::read_timer(OutputId output) {
  static_cast<void>(timer_.read_expired());
  // The clock decides: the timer may have expired for a request that the driver has answered since.
  if (!requested_ || clock_.now() < due_) return std::nullopt;
  requested_ = false;
  if (std::exchange(at_driver_, false) && ++lost_events_ >= enough_lost_events) kind_ = Kind::timer;
  const uint64_t frame = frames_since_start(clock_.now());
  return VblankEvent{output, static_cast<uint32_t>(frame), frame_time(frame)};
}

std::optional<VblankEvent> VblankSource::take(const DrmVblank& event, OutputId output) {
  if (!requested_ || !at_driver_) return std::nullopt;
  // The event of a request that was given up on came after all, and then the one of the next request with it.
  if (event.sequence == last_sequence_ && last_sequence_ != 0) return std::nullopt;
  requested_ = false;
  at_driver_ = false;
  lost_events_ = 0;
  last_sequence_ = event.sequence;
  return VblankEvent{output, static_cast<uint32_t>(event.sequence), event.time};
}

}  // namespace drmclient
