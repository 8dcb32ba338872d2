#include "base/epoll.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <optional>
#include <system_error>
#include <thread>

#include "base/event_fd.h"
#include "tests/support/eventually.h"

using base::Epoll;
using base::EventFd;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds at_once{0};

/// Returns the errno of a call that throws std::system_error, or 0.
template <typename Call>
int thrown_by(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

class EpollTest : public testing::Test {
 protected:
  std::array<epoll_event, 4> events{};
  Epoll epoll;
  EventFd event;
};

TEST_F(EpollTest, WaitOfAnEmptySetEndsAtTheTimeout) {
  const auto ready = epoll.wait(events, at_once);
  ASSERT_TRUE(ready.has_value());
  EXPECT_TRUE(ready->empty());
}

TEST_F(EpollTest, NegativeTimeoutDoesNotWait) {
  EXPECT_TRUE(epoll.wait(events, milliseconds(-5)).has_value());
}

TEST_F(EpollTest, TimeoutBeyondTheRangeOfIntWaits) {
  epoll.watch(event.get());
  event.signal();
  const auto ready = epoll.wait(events, milliseconds(std::numeric_limits<int64_t>::max()));
  ASSERT_TRUE(ready.has_value());
  EXPECT_EQ(ready->size(), 1U);
}

TEST_F(EpollTest, WaitReturnsTheReadyDescriptors) {
  const EventFd other;
  epoll.watch(event.get());
  epoll.watch(other.get());
  event.signal();
  const auto ready = epoll.wait(events);
  ASSERT_TRUE(ready.has_value());
  ASSERT_EQ(ready->size(), 1U);
  EXPECT_EQ(ready->front().data.fd, event.get());
  EXPECT_EQ(ready->front().events, static_cast<uint32_t>(EPOLLIN));
  other.signal();
  EXPECT_EQ(epoll.wait(events)->size(), 2U);
}

TEST_F(EpollTest, DescriptorIsWatchedForTheGivenEvents) {
  epoll.watch(event.get(), EPOLLPRI);
  event.signal();
  EXPECT_TRUE(epoll.wait(events, at_once)->empty());
}

TEST_F(EpollTest, UnwatchedDescriptorCausesNoEvent) {
  epoll.watch(event.get());
  event.signal();
  epoll.unwatch(event.get());
  EXPECT_TRUE(epoll.wait(events, at_once)->empty());
  epoll.watch(event.get());
  EXPECT_EQ(epoll.wait(events, at_once)->size(), 1U);
}

TEST_F(EpollTest, UnwatchOfAnUnknownDescriptorDoesNothing) {
  epoll.unwatch(event.get());
  epoll.unwatch(-1);
}

TEST_F(EpollTest, DescriptorThatCannotBeWatchedReturnsTheErrno) {
  EXPECT_EQ(epoll.try_watch(-1).error().value(), EBADF);
  EXPECT_EQ(thrown_by([&] { epoll.watch(-1); }), EBADF);
  ASSERT_TRUE(epoll.try_watch(event.get()).has_value());
  EXPECT_EQ(epoll.try_watch(event.get()).error().value(), EEXIST);
  EXPECT_EQ(thrown_by([&] { epoll.watch(event.get()); }), EEXIST);
}

TEST_F(EpollTest, WaitWithoutRoomForEventsReturnsEinval) {
  EXPECT_EQ(epoll.wait({}, at_once).error().value(), EINVAL);
}

TEST_F(EpollTest, SignalEndsTheWaitWithoutEvents) {
  struct sigaction handled {};
  struct sigaction before {};
  handled.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &handled, &before), 0);
  std::optional<size_t> size;
  std::atomic<bool> ended{false};
  std::thread waiting([&] {
    if (const auto ready = epoll.wait(events)) size = ready->size();
    ended = true;
  });
  // The signal may come before the wait, so it is repeated.
  EXPECT_TRUE(unit::eventually([&] {
    ::pthread_kill(waiting.native_handle(), SIGUSR1);
    return ended.load();
  }));
  waiting.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(size, 0U);
}

TEST(EpollLimitTest, WithoutAFreeDescriptorTheConstructorThrowsAndAWaitWorks) {
  const Epoll epoll;
  const EventFd event;
  epoll.watch(event.get());
  event.signal();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const int thrown = thrown_by([] { const Epoll further; });
  const int thrown_by_event = thrown_by([] { const EventFd further; });
  std::array<epoll_event, 1> events{};
  const auto ready = epoll.wait(events);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(thrown, EMFILE);
  EXPECT_EQ(thrown_by_event, EMFILE);
  ASSERT_TRUE(ready.has_value());
  EXPECT_EQ(ready->size(), 1U);
}

}  // namespace
