#include "base/clock.h"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace base {
namespace {

TEST(Clock, MonotonicClockMatchesSteadyClock) {
  const auto before = std::chrono::steady_clock::now();
  const auto now = monotonic_clock().now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::steady_clock::now());
}

TEST(Clock, ManualClockMovesOnlyWhenAdvanced) {
  unit::ManualClock clock;
  const auto start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(std::chrono::milliseconds(5));
  EXPECT_EQ(clock.now() - start, std::chrono::milliseconds(5));
}

}  // namespace
}  // namespace base
