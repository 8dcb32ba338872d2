#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/epoll.h"
#include "base/unique_fd.h"
#include "cuse/bin/command.h"
#include "cuse/session/fuse_server.h"

namespace cuse {

/// The main thread's wait for the end of the daemon.
class MainLoop {
 public:
  /// The kernel's mount table and a time limit, which tests replace.
  struct Environment {
    /// Returns a descriptor that signals each change of the mount table with EPOLLPRI. Throws
    /// std::system_error.
    std::function<base::UniqueFd()> open_mount_table;
    /// Returns true if the mount of this process is on `path`.
    std::function<bool(const std::string& path)> is_mounted;
    /// Time that a command has to end in order. With the timeouts of Daemon::stop() it is less than the
    /// second in which the daemon ends.
    std::chrono::milliseconds command_exit_timeout{400};
  };
  /// Returns the environment with /proc/self/mountinfo.
  [[nodiscard]] static Environment kernel();

  /// `signals` is the descriptor of open_daemon_signals(), `command` may be null, and `device` is the path
  /// that `server` serves. All must outlive the loop. Throws std::system_error.
  MainLoop(const base::UniqueFd& signals, const FuseServer& server, Command* command, std::string device,
           Environment environment = kernel());

  /// Waits until the command has ended, a signal requests the end, or the mount is detached. Logs the reason
  /// if the daemon has to end by itself. Returns the exit status. Call it on the thread that constructed the
  /// loop, because a signalfd reports the signals of that thread. Throws std::system_error if it cannot wait.
  [[nodiscard]] int run();

 private:
  /// The sources that were ready when a wait ended.
  struct Ready {
    bool session_ended = false;
    bool table_changed = false;
  };

  [[nodiscard]] Ready wait() const;
  [[nodiscard]] int end_without_mount() const;
  [[nodiscard]] int end_by(int signal);

  const base::UniqueFd& signals_;
  const FuseServer& server_;
  Command* command_;
  std::string device_;
  Environment environment_;
  base::UniqueFd mount_table_;
  base::Epoll events_;
};

}  // namespace cuse
