#include "cuse/bin/main_loop.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <span>
#include <system_error>
#include <utility>

#include "cuse/bin/daemon_signals.h"
#include "cuse/node/mount_table.h"
#include "cuse/service/failure.h"

namespace cuse {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using Events = std::array<epoll_event, 3>;

/// Opens the mount table, which signals each of its changes: proc(5).
base::UniqueFd open_mount_table() {
  base::UniqueFd table(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!table) fail(errno, "cannot open the mount table /proc/self/mountinfo");
  return table;
}

/// Throws if the wait failed. A further wait would fail as well, and at once.
std::span<epoll_event> require(base::Result<std::span<epoll_event>> ready) {
  if (!ready) fail(ready.error().value(), "the main thread cannot wait for signals");
  return *ready;
}

}  // namespace

MainLoop::Environment MainLoop::kernel() {
  return {&open_mount_table, [](const std::string& path) { return cuse::is_mounted(path, ::getpid()); }};
}

MainLoop::MainLoop(const base::UniqueFd& signals, const FuseServer& server, Command* command,
                   std::string device, Environment environment)
    : signals_(signals),
      server_(server),
      command_(command),
      device_(std::move(device)),
      environment_(std::move(environment)),
      mount_table_(environment_.open_mount_table()) {
  events_.watch(signals_.get());
  events_.watch(server_.ended_descriptor());
  events_.watch(mount_table_.get(), EPOLLPRI);
}

int MainLoop::run() {
  bool table_changed = true;  // It may have changed before it was watched.
  while (true) {
    if (command_ != nullptr) {
      if (const auto status = command_->exit_status()) return *status;
    }
    // A lazy umount does not end the connection, because the daemon's own file keeps the file system alive.
    if (table_changed && !environment_.is_mounted(device_)) return end_without_mount();
    const Ready ready = wait();
    if (ready.session_ended) {
      spdlog::error("{}", describe(server_.end(), device_));
      return EXIT_FAILURE;
    }
    table_changed = ready.table_changed;
    if (const int signal = take_signal(signals_); signal != 0 && signal != SIGCHLD) return end_by(signal);
  }
}

MainLoop::Ready MainLoop::wait() const {
  Events events{};
  Ready ready;
  for (const epoll_event& event : require(events_.wait(events))) {
    ready.session_ended = ready.session_ended || event.data.fd == server_.ended_descriptor();
    ready.table_changed = ready.table_changed || event.data.fd == mount_table_.get();
  }
  return ready;
}

int MainLoop::end_without_mount() const {
  spdlog::error("the mount on {} was detached by another process; start fbemud again", device_);
  return EXIT_FAILURE;
}

int MainLoop::end_by(int signal) {
  constexpr int ended_by_signal = 128;
  if (command_ == nullptr) return EXIT_SUCCESS;
  // The command gets time to end in order before its framebuffer is removed.
  command_->send(signal);
  // Only signals count now. The other sources may stay ready, and the wait would not sleep.
  events_.unwatch(server_.ended_descriptor());
  events_.unwatch(mount_table_.get());
  const auto deadline = steady_clock::now() + environment_.command_exit_timeout;
  while (!command_->exit_status()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) break;
    Events events{};
    static_cast<void>(require(events_.wait(events, left)));
    static_cast<void>(take_signal(signals_));
  }
  return ended_by_signal + signal;
}

}  // namespace cuse
