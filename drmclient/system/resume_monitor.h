#pragma once

#include <chrono>

#include "base/timer_fd.h"

namespace drmclient {

/// Hears that the machine was suspended and is back, without waking up for anything but changes of the clock:
/// the kernel ends the wait of a timer with TFD_TIMER_CANCEL_ON_SET when it resumes and the clock has gone on
/// meanwhile (timerfd_clock_was_set()), and the time since boot has then grown by more than the time that the
/// machine was awake. A sleep shorter than that can be seen (tenths of a second) is none.
class ResumeMonitor {
 public:
  /// Throws std::system_error.
  ResumeMonitor();

  /// Readable when the clock has jumped.
  [[nodiscard]] int descriptor() const { return timer_.get(); }
  /// True where the machine was asleep since the last call. Does not block.
  [[nodiscard]] bool read();

 private:
  void arm() const;

  base::TimerFd timer_;
  std::chrono::nanoseconds asleep_;  ///< so far: CLOCK_BOOTTIME - CLOCK_MONOTONIC
};

}  // namespace drmclient
