#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/unique_fd.h"

namespace base {

/// An empty set of descriptors to wait for (epoll(7)). Throws std::system_error.
[[nodiscard]] inline UniqueFd make_epoll() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return epoll;
}

/// A counter that wakes those who wait for it (eventfd(2)), at 0. Throws std::system_error.
[[nodiscard]] inline UniqueFd make_event() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw std::system_error(errno, std::generic_category(), "eventfd");
  return event;
}

/// Wakes who waits for `event`. It fails only where the counter is full, and then they are about to wake
/// anyway.
inline void signal_event(const UniqueFd& event) {
  const uint64_t one = 1;
  static_cast<void>(::write(event.get(), &one, sizeof one));
}

/// Sets the counter back to 0. Whether anyone had signalled since the last time.
inline bool clear_event(const UniqueFd& event) {
  uint64_t count = 0;
  return ::read(event.get(), &count, sizeof count) == sizeof count;
}

/// From now on `epoll` is readable while `descriptor` is, and says so with it as `data.fd`. Throws
/// std::system_error.
inline void watch_input(const UniqueFd& epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

}  // namespace base
