#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace unit {

/// A clock that stands still until the test advances it. Starts away from zero, which may mean "never".
class ManualClock final : public base::Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(now_.load()); }
  void advance(Time::duration by) { now_ = now_.load() + by; }

 private:
  std::atomic<Time::duration> now_{std::chrono::hours(1)};
};

}  // namespace unit
