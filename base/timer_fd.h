#pragma once

#include <chrono>
#include <ctime>

#include "base/result.h"
#include "base/unique_fd.h"

namespace base {

/// A timer whose descriptor is readable after it has expired (timerfd_create(2)).
class TimerFd {
 public:
  /// Makes a timer that is not set. Throws std::system_error.
  explicit TimerFd(clockid_t clock = CLOCK_MONOTONIC);

  /// Returns the descriptor, which does not block.
  [[nodiscard]] int get() const { return fd_.get(); }
  /// Makes the timer expire once, at `time`; the timer must be one of CLOCK_MONOTONIC. Replaces an earlier
  /// setting. Errors: those of timerfd_settime(2).
  [[nodiscard]] Result<void> set(std::chrono::steady_clock::time_point time) const;
  /// Returns true if the timer has expired since it was set or since the last call. Does not block.
  [[nodiscard]] bool read_expired() const;

 private:
  UniqueFd fd_;
};

}  // namespace base
