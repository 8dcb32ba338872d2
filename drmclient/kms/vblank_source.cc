#include "drmclient/kms/vblank_source.h"

#include <sys/timerfd.h>
#include <xf86drm.h>

#include <cstring>
#include <system_error>
#include <utility>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

/// So long the driver's event is waited for.
constexpr int timeout_frames = 6;
/// So many lost events in a row, and the driver is not asked again.
constexpr unsigned enough_lost_events = 3;

timespec to_timespec(steady_clock::time_point time) {
  const auto since_boot = time.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  return {seconds.count(), std::chrono::duration_cast<nanoseconds>(since_boot - seconds).count()};
}

template <typename T>
T read_as(std::span<const std::byte> bytes) {
  T object;
  std::memcpy(&object, bytes.data(), sizeof object);
  return object;
}

}  // namespace

DrmEvents parse_drm_events(std::span<const std::byte> bytes) {
  DrmEvents events;
  while (bytes.size() >= sizeof(drm_event)) {
    const auto header = read_as<drm_event>(bytes);
    if (header.length < sizeof header || header.length > bytes.size()) break;
    const auto event = bytes.first(header.length);
    bytes = bytes.subspan(header.length);
    const bool is_flip = header.type == DRM_EVENT_FLIP_COMPLETE;
    if ((is_flip || header.type == DRM_EVENT_VBLANK) && event.size() >= sizeof(drm_event_vblank)) {
      const auto vblank = read_as<drm_event_vblank>(event);
      if (is_flip) {
        events.flips.push_back(vblank.user_data);
        continue;
      }
      const auto since_boot = std::chrono::seconds(vblank.tv_sec) + std::chrono::microseconds(vblank.tv_usec);
      events.vblanks.push_back({vblank.user_data, vblank.sequence, steady_clock::time_point(since_boot)});
    } else if (header.type == DRM_EVENT_CRTC_SEQUENCE && event.size() >= sizeof(drm_event_crtc_sequence)) {
      const auto vblank = read_as<drm_event_crtc_sequence>(event);
      events.vblanks.push_back(
          {vblank.user_data, vblank.sequence, steady_clock::time_point(nanoseconds(vblank.time_ns))});
    }
  }
  return events;
}

VblankSource::VblankSource(uint64_t user_data, const base::Clock& clock)
    : user_data_(user_data),
      clock_(clock),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!timer_) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

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
  itimerspec timer{};
  timer.it_value = to_timespec(due_);
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &timer, nullptr) != 0)
    return base::failure_from_errno();
  return {};
}

base::Result<void> VblankSource::request(const DrmDevice& device, const KmsPipe& pipe, bool hardware) {
  if (requested_) return {};
  at_driver_ = hardware && kind_ != Kind::timer && ask_driver(device, pipe).has_value();
  if (const auto armed = arm(); !armed) return armed;
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
    // EINVAL: the vblank of a CRTC that is off cannot be waited for.
    if (asked.error().value() == EINVAL || asked.error().value() == EBUSY) return asked;
    kind_ = Kind::wait_vblank;
  }
  drmVBlank vblank{};
  vblank.request.type = static_cast<drmVBlankSeqType>(
      (passed ? DRM_VBLANK_ABSOLUTE : DRM_VBLANK_RELATIVE) | DRM_VBLANK_EVENT |
      ((pipe.crtc_index << DRM_VBLANK_HIGH_CRTC_SHIFT) & DRM_VBLANK_HIGH_CRTC_MASK));
  vblank.request.sequence = passed ? static_cast<uint32_t>(last_sequence_ + 1) : 1;
  vblank.request.signal = user_data_;
  const auto asked = drm_result(::drmWaitVBlank(device.fd(), &vblank));
  if (!asked && asked.error().value() != EINVAL && asked.error().value() != EBUSY) kind_ = Kind::timer;
  return asked;
}

std::optional<VblankEvent> VblankSource::read_timer(OutputId output) {
  uint64_t count = 0;
  static_cast<void>(::read(timer_.get(), &count, sizeof count));
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
