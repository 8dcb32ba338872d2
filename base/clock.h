#pragma once

#include <chrono>

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

/// The system's CLOCK_MONOTONIC; lives as long as the process.
[[nodiscard]] const Clock& monotonic_clock();

}  // namespace base
