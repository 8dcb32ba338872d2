#include "drmclient/system/resume_monitor.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;

nanoseconds clock_time(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// A time in the year 2255, which the kernel's nanoseconds since 1970 can represent.
constexpr time_t far_future = 9'000'000'000;

/// Tolerance: the two clocks are not read at the same moment.
constexpr nanoseconds tolerance = std::chrono::milliseconds(100);

nanoseconds time_asleep() {
  return clock_time(CLOCK_BOOTTIME) - clock_time(CLOCK_MONOTONIC);
}

}  // namespace

ResumeMonitor::ResumeMonitor() : timer_(CLOCK_REALTIME), asleep_(time_asleep()) {
  arm();
}

void ResumeMonitor::arm() const {
  itimerspec never{};
  never.it_value.tv_sec = far_future;
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
}

bool ResumeMonitor::read() {
  uint64_t count = 0;
  const bool quiet = ::read(timer_.get(), &count, sizeof count) < 0 && errno == EAGAIN;
  if (quiet) return false;
  arm();
  const nanoseconds now = time_asleep();
  const bool slept = now - asleep_ > tolerance;
  asleep_ = now;
  return slept;
}

}  // namespace drmclient
