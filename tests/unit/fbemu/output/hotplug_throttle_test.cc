#include "fbemu/output/hotplug_throttle.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace fbemu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = HotplugThrottle::Time;

const Time start = Time(std::chrono::hours(1));

TEST(HotplugThrottle, WithoutEventNoProbeIsDue) {
  HotplugThrottle throttle;
  EXPECT_FALSE(throttle.look_at());
  EXPECT_FALSE(throttle.take_look(start));
}

TEST(HotplugThrottle, FirstEventIsProbedAtOnce) {
  HotplugThrottle throttle;
  throttle.event(start);
  EXPECT_EQ(throttle.look_at(), start);
  EXPECT_TRUE(throttle.take_look(start));
  EXPECT_FALSE(throttle.look_at());
  EXPECT_FALSE(throttle.take_look(start));
}

TEST(HotplugThrottle, LastEventIsProbed) {
  HotplugThrottle throttle;
  throttle.event(start);
  ASSERT_TRUE(throttle.take_look(start));
  throttle.event(start + milliseconds(1));
  EXPECT_FALSE(throttle.take_look(start + milliseconds(1)));
  const Time due = start + HotplugThrottle::shortest_distance;
  EXPECT_EQ(throttle.look_at(), due);
  EXPECT_FALSE(throttle.take_look(due - milliseconds(1)));
  EXPECT_TRUE(throttle.take_look(due));
}

TEST(HotplugThrottle, StormDoublesIntervalUpToLimit) {
  HotplugThrottle throttle;
  std::vector<Time> looks;
  for (Time now = start; now < start + seconds(20); now += milliseconds(10)) {
    throttle.event(now);
    if (throttle.take_look(now)) looks.push_back(now);
  }
  ASSERT_GT(looks.size(), 8U);
  milliseconds expected = HotplugThrottle::shortest_distance;
  for (size_t i = 1; i < looks.size(); ++i) {
    EXPECT_EQ(looks[i] - looks[i - 1], expected) << i;
    expected = std::min(2 * expected, HotplugThrottle::longest_distance);
  }
}

TEST(HotplugThrottle, EventAfterRestIsProbedAtOnce) {
  HotplugThrottle throttle;
  Time now = start;
  for (; now < start + seconds(20); now += milliseconds(10)) {
    throttle.event(now);
    static_cast<void>(throttle.take_look(now));
  }
  if (throttle.look_at()) {
    now = *throttle.look_at();
    ASSERT_TRUE(throttle.take_look(now));
  }
  now += 2 * HotplugThrottle::longest_distance + milliseconds(1);
  throttle.event(now);
  EXPECT_TRUE(throttle.take_look(now));
  throttle.event(now);
  EXPECT_EQ(throttle.look_at(), now + HotplugThrottle::shortest_distance);
}

TEST(HotplugThrottle, ResumeIsProbedAtOnce) {
  HotplugThrottle throttle;
  throttle.event(start);
  ASSERT_TRUE(throttle.take_look(start));
  throttle.event(start + milliseconds(1));
  throttle.look_now(start + milliseconds(2));
  EXPECT_TRUE(throttle.take_look(start + milliseconds(2)));
}

}  // namespace
}  // namespace fbemu
