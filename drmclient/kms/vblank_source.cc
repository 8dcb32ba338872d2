#include "drmclient/kms/vblank_source.h"

#include <xf86drm.h>

#include <cerrno>
#include <utility>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// Timeout for the driver's event, in frames.
constexpr int timeout_frames = 6;
/// Number of consecutive lost events after which the driver is not used any more.
constexpr unsigned max_lost_events = 3;

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
  // The timer of a pending request was set for the old mode. If it cannot be set anew, the old time remains.
  if (requested_) static_cast<void>(arm());
}

uint64_t VblankSource::frames_since_start(steady_clock::time_point now) const {
  return static_cast<uint64_t>((now - start_) / period_);
}

steady_clock::time_point VblankSource::frame_time(uint64_t frame) const {
  return start_ + nanoseconds(period_.count() * static_cast<int64_t>(frame));
}

/// Sets the timer to the next frame, or to the timeout of a request that the driver has.
base::Result<void> VblankSource::arm() {
  const auto now = clock_.now();
  due_ = at_driver_ ? now + timeout_frames * period_ : frame_time(frames_since_start(now) + 1);
  return timer_.set(due_);
}

base::Result<void> VblankSource::request(const DrmDevice& device, const KmsPipe& pipe, bool hardware) {
  if (requested_) return {};
  at_driver_ = hardware && kind_ != Kind::timer && request_from_driver(device, pipe).has_value();
  BASE_TRY(arm());
  requested_ = true;
  return {};
}

void VblankSource::presented(steady_clock::time_point begin, steady_clock::time_point end) {
  just_passed_ = end - begin > period_ / 4;
  presented_at_ = end;
}

base::Result<void> VblankSource::request_from_driver(const DrmDevice& device, const KmsPipe& pipe) {
  // The driver sends the event at once if the absolute sequence has already been reached.
  const bool passed =
      std::exchange(just_passed_, false) && last_sequence_ != 0 && clock_.now() - presented_at_ < period_ / 2;
  if (kind_ == Kind::sequence) {
    const auto requested =
        drm_result(::drmCrtcQueueSequence(device.fd(), pipe.crtc_id, passed ? 0 : DRM_CRTC_SEQUENCE_RELATIVE,
                                          passed ? last_sequence_ + 1 : 1, nullptr, user_data_));
    if (requested) return {};
    if (is_momentary(requested.error())) return requested;
    kind_ = Kind::wait_vblank;
  }
  drmVBlank vblank{};
  vblank.request.type = static_cast<drmVBlankSeqType>(
      (passed ? DRM_VBLANK_ABSOLUTE : DRM_VBLANK_RELATIVE) | DRM_VBLANK_EVENT |
      ((pipe.crtc_index << DRM_VBLANK_HIGH_CRTC_SHIFT) & DRM_VBLANK_HIGH_CRTC_MASK));
  vblank.request.sequence = passed ? static_cast<uint32_t>(last_sequence_ + 1) : 1;
  vblank.request.signal = user_data_;
  const auto requested = drm_result(::drmWaitVBlank(device.fd(), &vblank));
  if (!requested && !is_momentary(requested.error())) kind_ = Kind::timer;
  return requested;
}

std::optional<Vblank> VblankSource::read_timer() {
  static_cast<void>(timer_.read_expired());
  // The clock decides, because the timer may have expired for a request that the driver has completed since.
  if (!requested_ || clock_.now() < due_) return std::nullopt;
  requested_ = false;
  if (std::exchange(at_driver_, false) && ++lost_events_ >= max_lost_events) kind_ = Kind::timer;
  const uint64_t frame = frames_since_start(clock_.now());
  return Vblank{static_cast<uint32_t>(frame), frame_time(frame)};
}

std::optional<Vblank> VblankSource::take(const DrmVblank& event) {
  if (!requested_ || !at_driver_) return std::nullopt;
  // The late event of an abandoned request was followed by the event of the next request, both for the same
  // vblank.
  if (event.sequence == last_sequence_ && last_sequence_ != 0) return std::nullopt;
  requested_ = false;
  at_driver_ = false;
  lost_events_ = 0;
  last_sequence_ = event.sequence;
  return Vblank{static_cast<uint32_t>(event.sequence), event.time};
}

}  // namespace drmclient
