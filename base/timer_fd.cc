#include "base/timer_fd.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/clock.h"

namespace base {

TimerFd::TimerFd(clockid_t clock) : fd_(::timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

Result<void> TimerFd::set(std::chrono::steady_clock::time_point time) const {
  itimerspec timer{};
  timer.it_value = to_timespec(time.time_since_epoch());
  if (::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &timer, nullptr) != 0) return failure_from_errno();
  return {};
}

bool TimerFd::read_expired() const {
  uint64_t count = 0;
  return ::read(fd_.get(), &count, sizeof count) == sizeof count;
}

}  // namespace base
