#pragma once

#include <chrono>
#include <string>

#include "drmclient/unique_fd.h"

namespace drmclient {

/// Hears that the machine was suspended and is back, without waking up for anything but changes of the clock:
/// the kernel ends the wait of a timer with TFD_TIMER_CANCEL_ON_SET when it resumes (timerfd_resume(), from
/// timekeeping_resume()), and has then counted one more suspend (/sys/power/suspend_stats), or the time since
/// boot has grown by more than the time that the machine was awake.
class ResumeMonitor {
 public:
  /// Throws std::system_error. The path is for tests.
  explicit ResumeMonitor(std::string suspends_path = "/sys/power/suspend_stats/success");

  /// Readable when the clock has jumped.
  [[nodiscard]] int descriptor() const { return timer_.get(); }
  /// True where the machine was asleep since the last call. Does not block.
  [[nodiscard]] bool read();

 private:
  void arm() const;

  std::string suspends_path_;
  UniqueFd timer_;
  std::string suspends_;             ///< how many there were, as the kernel writes it
  std::chrono::nanoseconds asleep_;  ///< so far: CLOCK_BOOTTIME - CLOCK_MONOTONIC
};

}  // namespace drmclient
