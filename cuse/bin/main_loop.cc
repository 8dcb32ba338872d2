#include "cuse/bin/main_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "cuse/bin/daemon_signals.h"
#include "cuse/node/mount_table.h"

namespace cuse {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Time that a command has to end in order. With the timeouts of Daemon::stop() it is less than the second in
/// which the daemon ends.
constexpr milliseconds command_exit_timeout{400};

}  // namespace

MainLoop::MainLoop(const base::UniqueFd& signals, const FuseServer& server, Command* command,
                   std::string device)
    : signals_(signals),
      server_(server),
      command_(command),
      device_(std::move(device)),
      mount_table_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

int MainLoop::run() {
  bool table_changed = true;  // It may have changed before it was watched.
  while (true) {
    if (command_ != nullptr) {
      if (const auto status = command_->exit_status()) return *status;
    }
    // A lazy umount does not end the connection, because the daemon's own file keeps the file system alive.
    if (table_changed && !is_mounted(device_, ::getpid())) return end_without_mount();
    std::array<pollfd, 3> events{{{signals_.get(), POLLIN, 0},
                                  {server_.ended_descriptor(), POLLIN, 0},
                                  {mount_table_.get(), POLLPRI, 0}}};
    ::poll(events.data(), events.size(), -1);
    if (events[1].revents != 0) {
      spdlog::error("{}", describe(server_.end(), device_));
      return EXIT_FAILURE;
    }
    table_changed = events[2].revents != 0;
    if (const int signal = take_signal(signals_); signal != 0 && signal != SIGCHLD) return end_by(signal);
  }
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
  const auto deadline = steady_clock::now() + command_exit_timeout;
  while (!command_->exit_status()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) break;
    pollfd event{signals_.get(), POLLIN, 0};
    ::poll(&event, 1, static_cast<int>(left.count()));
    static_cast<void>(take_signal(signals_));
  }
  return ended_by_signal + signal;
}

}  // namespace cuse
