#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/unique_fd.h"

namespace base {

/// Makes an empty epoll(7) set. Throws std::system_error.
[[nodiscard]] inline UniqueFd make_epoll() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return epoll;
}

/// Makes an eventfd(2) counter with the value 0. Throws std::system_error.
[[nodiscard]] inline UniqueFd make_event() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw std::system_error(errno, std::generic_category(), "eventfd");
  return event;
}

/// Wakes the threads that wait for `event`. Fails only if the counter is at its limit, and then they wake
/// anyway.
inline void signal_event(const UniqueFd& event) {
  const uint64_t one = 1;
  static_cast<void>(::write(event.get(), &one, sizeof one));
}

/// Resets the counter to 0. Returns true if it was signalled since the last reset.
inline bool clear_event(const UniqueFd& event) {
  uint64_t count = 0;
  return ::read(event.get(), &count, sizeof count) == sizeof count;
}

/// Adds `descriptor` to `epoll` for input; its events have the descriptor as `data.fd`. Throws
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
