#pragma once

#include <chrono>
#include <ctime>

namespace base {

/// A source of the monotonic time, so that a test can set it.
class Clock {
 public:
  /// A point of CLOCK_MONOTONIC.
  using Time = std::chrono::steady_clock::time_point;

  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Returns the time, which never goes back. Thread-safe.
  [[nodiscard]] virtual Time now() const = 0;
};

/// Returns the system's CLOCK_MONOTONIC; the object lives as long as the process.
[[nodiscard]] const Clock& monotonic_clock();

/// Returns `time`, which is not negative, for system calls.
[[nodiscard]] timespec to_timespec(std::chrono::nanoseconds time);

}  // namespace base
