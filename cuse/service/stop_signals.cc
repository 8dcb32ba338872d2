#include "cuse/service/stop_signals.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/unique_fd.h"
#include "cuse/service/failure.h"

namespace cuse {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Returns the lowest stop signal that is pending, or 0.
int pending_signal() {
  sigset_t pending{};
  ::sigpending(&pending);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    if (sigismember(&pending, signal) == 1) return signal;
  }
  return 0;
}

}  // namespace

sigset_t stop_signals() {
  sigset_t signals{};
  sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  return signals;
}

bool wait_during_start(int descriptor, milliseconds limit, const std::string& what) {
  // A separate descriptor, because polling it takes no signal and SIGCHLD does not wake it.
  const sigset_t signals = stop_signals();
  const base::UniqueFd stop(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!stop) fail(errno, "signalfd");
  const auto deadline = steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    std::array<pollfd, 2> events{{{stop.get(), POLLIN, 0}, {descriptor, POLLIN, 0}}};
    const int ready =
        ::poll(events.data(), events.size(), left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready < 0 && errno != EINTR) fail(errno, "poll");
    if (const int signal = pending_signal(); signal != 0) throw StopRequested(signal, what);
    if (events[1].revents != 0 && ready > 0) return true;
    if (ready == 0) return false;
  }
}

}  // namespace cuse
