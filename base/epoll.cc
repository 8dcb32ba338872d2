#include "base/epoll.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace base {

using std::chrono::milliseconds;

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

void Epoll::watch(int descriptor, uint32_t events) const {
  if (const auto watched = try_watch(descriptor, events); !watched) {
    throw std::system_error(watched.error(), "epoll_ctl");
  }
}

Result<void> Epoll::try_watch(int descriptor, uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return failure_from_errno();
  return {};
}

void Epoll::unwatch(int descriptor) const noexcept {
  static_cast<void>(::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, descriptor, nullptr));
}

Result<std::span<epoll_event>> Epoll::wait(std::span<epoll_event> events,
                                           std::optional<milliseconds> timeout) const noexcept {
  constexpr int64_t longest = std::numeric_limits<int>::max();
  const int limit = timeout ? static_cast<int>(std::clamp<int64_t>(timeout->count(), 0, longest)) : -1;
  const int count = ::epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), limit);
  if (count >= 0) return events.first(static_cast<size_t>(count));
  if (errno == EINTR) return events.first(0);
  return failure_from_errno();
}

}  // namespace base
