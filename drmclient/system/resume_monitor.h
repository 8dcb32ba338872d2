#pragma once

#include <chrono>

#include "base/timer_fd.h"

namespace drmclient {

/// A monitor of suspend and resume that wakes up only when the clock changes.
///
/// The kernel ends the wait of a timer with TFD_TIMER_CANCEL_ON_SET at a resume if the clock has advanced
/// during the sleep (timerfd_clock_was_set()). Then CLOCK_BOOTTIME has advanced further than CLOCK_MONOTONIC.
/// Sleeps below the tolerance of a tenth of a second are not detected.
class ResumeMonitor {
 public:
  /// Starts to monitor. Throws std::system_error.
  ResumeMonitor();

  /// Returns a descriptor that is readable after the clock has jumped.
  [[nodiscard]] int descriptor() const { return timer_.get(); }
  /// Returns true if the machine was asleep since the last call. Does not block.
  [[nodiscard]] bool read();

 private:
  void arm() const;

  base::TimerFd timer_;
  std::chrono::nanoseconds asleep_;  ///< time asleep so far: CLOCK_BOOTTIME - CLOCK_MONOTONIC
};

}  // namespace drmclient
