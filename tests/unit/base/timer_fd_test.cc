#include "base/timer_fd.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "base/clock.h"

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

bool is_readable(const base::TimerFd& timer, milliseconds timeout) {
  pollfd event{timer.get(), POLLIN, 0};
  return ::poll(&event, 1, static_cast<int>(timeout.count())) == 1;
}

}  // namespace

TEST(TimerFd, NewTimerHasNotExpired) {
  const base::TimerFd timer;
  EXPECT_FALSE(timer.read_expired());
  EXPECT_FALSE(is_readable(timer, milliseconds(0)));
}

TEST(TimerFd, ExpiredTimerIsReadableUntilRead) {
  const base::TimerFd timer;
  ASSERT_TRUE(timer.set(steady_clock::now()).has_value());
  ASSERT_TRUE(is_readable(timer, seconds(10)));
  EXPECT_TRUE(timer.read_expired());
  EXPECT_FALSE(timer.read_expired());
}

TEST(TimerFd, LaterSettingReplacesEarlierOne) {
  const base::TimerFd timer;
  ASSERT_TRUE(timer.set(steady_clock::now()).has_value());
  ASSERT_TRUE(timer.set(steady_clock::now() + seconds(3600)).has_value());
  EXPECT_FALSE(is_readable(timer, milliseconds(0)));
}

TEST(TimerFd, TimeIsSplitIntoSecondsAndNanoseconds) {
  const timespec time = base::to_timespec(seconds(3) + nanoseconds(5));
  EXPECT_EQ(time.tv_sec, 3);
  EXPECT_EQ(time.tv_nsec, 5);
}
