#include "base/event_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <limits>

namespace {

bool is_readable(const base::EventFd& event) {
  pollfd waiting{event.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

TEST(EventFdTest, NewEventIsNotReadable) {
  const base::EventFd event;
  EXPECT_FALSE(is_readable(event));
  EXPECT_FALSE(event.clear());
}

TEST(EventFdTest, SignalledEventIsReadableUntilCleared) {
  const base::EventFd event;
  event.signal();
  event.signal();
  EXPECT_TRUE(is_readable(event));
  EXPECT_TRUE(event.clear());
  EXPECT_FALSE(is_readable(event));
  EXPECT_FALSE(event.clear());
}

TEST(EventFdTest, SignalAtTheLimitOfTheCounterDoesNotBlock) {
  const base::EventFd event;
  const uint64_t largest = std::numeric_limits<uint64_t>::max() - 1;
  ASSERT_EQ(::write(event.get(), &largest, sizeof largest), static_cast<ssize_t>(sizeof largest));
  event.signal();
  EXPECT_TRUE(event.clear());
}

TEST(EventFdTest, DescriptorIsClosedInPrograms) {
  const base::EventFd event;
  EXPECT_NE(::fcntl(event.get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
