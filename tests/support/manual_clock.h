#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace unit {

/// A clock that only the test advances. It does not start at zero, because zero may mean "never".
class ManualClock final : public base::Clock {
 public:
  [[nodiscard]] Time now() const override { return Time(now_.load()); }
  void advance(Time::duration by) { now_ = now_.load() + by; }

 private:
  std::atomic<Time::duration> now_{std::chrono::hours(1)};
};

}  // namespace unit
