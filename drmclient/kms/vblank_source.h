#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/timer_fd.h"
#include "drmclient/card.h"
#include "drmclient/kms/drm_device.h"
#include "drmclient/kms/drm_events.h"
#include "drmclient/kms/kms_pipe.h"

namespace drmclient {

/// Tells the vblanks of one enabled output: through the driver where it has them, else at the mode's rate.
///
/// A driver that answers a request and never sends the event (the CRTC was turned off under it) is helped by
/// the timer after a few frames, so that no program waits for ever.
class VblankSource {
 public:
  /// CRTC_QUEUE_SEQUENCE, WAIT_VBLANK, or a timerfd.
  enum class Kind { sequence, wait_vblank, timer };

  /// `user_data` comes back in the driver's events. `clock` must outlive this object. Throws
  /// std::system_error.
  explicit VblankSource(uint64_t user_data, const base::Clock& clock = base::monotonic_clock());

  /// A mode was set: the timer's frames count from now on, and the driver is asked anew. A request that has
  /// no answer yet is given up on after some frames of the new mode.
  void start(const Mode& mode);
  /// Asks for the next vblank; `hardware` false uses the timer (the output is off). Asking again before it
  /// came changes nothing.
  [[nodiscard]] base::Result<void> request(const DrmDevice& device, const KmsPipe& pipe, bool hardware);
  /// A present() took from `begin` to `end`. Drivers that wait for the vblank in there have then just passed
  /// the one that is about to be asked for, and asking for the one after it would halve the frame rate.
  void presented(std::chrono::steady_clock::time_point begin, std::chrono::steady_clock::time_point end);

  /// Readable when read_timer() has something.
  [[nodiscard]] int timer_descriptor() const { return timer_.get(); }
  /// What the timer has to say. Does not block.
  [[nodiscard]] std::optional<VblankEvent> read_timer(OutputId output);
  /// What the driver's event means; nothing for one that was given up on, and for a second event of the same
  /// vblank.
  [[nodiscard]] std::optional<VblankEvent> take(const DrmVblank& event, OutputId output);

  /// The way that is used now.
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  [[nodiscard]] base::Result<void> ask_driver(const DrmDevice& device, const KmsPipe& pipe);
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
  std::chrono::steady_clock::time_point due_;  ///< when the timer answers the request
  bool requested_ = false;
  bool at_driver_ = false;      ///< the request is with the driver, the timer only watches over it
  bool just_passed_ = false;    ///< a present() has waited for a vblank since the last event
  uint64_t last_sequence_ = 0;  ///< of the driver's last event; 0: none yet
  unsigned lost_events_ = 0;
};

}  // namespace drmclient
