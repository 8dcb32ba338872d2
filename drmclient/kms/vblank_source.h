#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/timer_fd.h"
#include "drmclient/kms/drm_device.h"
#include "drmclient/kms/drm_events.h"
#include "drmclient/kms/kms_pipe.h"
#include "drmclient/mode.h"

namespace drmclient {

/// A vblank of an output, for VblankEvent.
struct Vblank {
  uint32_t sequence = 0;                       ///< the output's frame counter, which wraps
  std::chrono::steady_clock::time_point time;  ///< time of the vblank
};

/// The vblanks of one enabled output. They come from the driver, or from a timer at the mode's rate if the
/// driver has none.
///
/// A driver may accept a request and never send the event, because the CRTC was turned off. Then the timer
/// completes the request after a few frames, so that no program waits forever.
class VblankSource {
 public:
  /// The mechanism: CRTC_QUEUE_SEQUENCE, WAIT_VBLANK, or a timerfd.
  enum class Kind { sequence, wait_vblank, timer };

  /// Makes a source without a mode. The driver's events carry `user_data`. `clock` must outlive this object.
  /// Throws std::system_error.
  explicit VblankSource(uint64_t user_data, const base::Clock& clock = base::monotonic_clock());

  /// Starts the timer's frames for a new mode and allows the driver's events again. A pending request times
  /// out after some frames of the new mode.
  void start(const Mode& mode);
  /// Requests the next vblank; `hardware` is false to use the timer, because the output is off. Has no effect
  /// if a request is pending.
  [[nodiscard]] base::Result<void> request(const DrmDevice& device, const KmsPipe& pipe, bool hardware);
  /// Notes that a present() took from `begin` to `end`. If the driver waited for a vblank in it, the next
  /// request is for the vblank that has just passed. A request for the one after it would halve the frame
  /// rate.
  void presented(std::chrono::steady_clock::time_point begin, std::chrono::steady_clock::time_point end);

  /// Returns a descriptor that is readable if read_timer() may have an event.
  [[nodiscard]] int timer_descriptor() const { return timer_.get(); }
  /// Returns the vblank of the timer, if it is due. Does not block.
  [[nodiscard]] std::optional<Vblank> read_timer();
  /// Returns the vblank of the driver's `event`; nothing for an abandoned request and for a second event of
  /// the same vblank.
  [[nodiscard]] std::optional<Vblank> take(const DrmVblank& event);

  /// Returns the mechanism in use.
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  [[nodiscard]] base::Result<void> request_from_driver(const DrmDevice& device, const KmsPipe& pipe);
  [[nodiscard]] base::Result<void> arm();
  [[nodiscard]] uint64_t frames_since_start(std::chrono::steady_clock::time_point now) const;
  [[nodiscard]] std::chrono::steady_clock::time_point frame_time(uint64_t frame) const;

  uint64_t user_data_;
  const base::Clock& clock_;
  base::TimerFd timer_;
  Kind kind_ = Kind::sequence;
  std::chrono::nanoseconds period_{};
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point presented_at_;
  std::chrono::steady_clock::time_point due_;  ///< time at which the timer completes the request
  bool requested_ = false;
  bool at_driver_ = false;      ///< the driver has the request, and the timer is its timeout
  bool just_passed_ = false;    ///< a present() has waited for a vblank since the last event
  uint64_t last_sequence_ = 0;  ///< of the driver's last event; 0 if there was none
  unsigned lost_events_ = 0;
};

}  // namespace drmclient
