#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "base/unique_fd.h"

namespace base {

/// A set of watched descriptors (epoll(7)). The events of a descriptor have its number as `data.fd`.
///
/// A wait needs no memory and no free descriptor. So after a successful set-up it fails only if the set is
/// used wrongly. A loop must then end or pause, because the next wait fails as well, and at once.
class Epoll {
 public:
  /// Makes an empty set. Throws std::system_error.
  Epoll();

  /// Returns the descriptor, which is readable while an event is pending.
  [[nodiscard]] int get() const { return fd_.get(); }

  /// Adds `descriptor` for the epoll_ctl(2) `events`. Throws std::system_error.
  void watch(int descriptor, uint32_t events = EPOLLIN) const;
  /// Does the same. Errors: those of epoll_ctl(2).
  [[nodiscard]] Result<void> try_watch(int descriptor, uint32_t events = EPOLLIN) const;
  /// Removes `descriptor`, which must be open. A closed descriptor has left the set, unless a copy of it is
  /// open.
  void unwatch(int descriptor) const noexcept;

  /// Waits until a descriptor is ready, at most for `timeout` if there is one. Stores the events in `events`
  /// and returns the used part; none after the timeout or a signal. Errors: those of epoll_wait(2) but EINTR.
  [[nodiscard]] Result<std::span<epoll_event>> wait(
      std::span<epoll_event> events,
      std::optional<std::chrono::milliseconds> timeout = std::nullopt) const noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace base
