#pragma once

#include <string>

#include "base/unique_fd.h"
#include "cuse/bin/command.h"
#include "cuse/session/fuse_server.h"

namespace cuse {

/// The main thread's wait for the end of the daemon.
class MainLoop {
 public:
  /// `signals` is the descriptor of open_daemon_signals(), `command` may be null, and `device` is the path
  /// that `server` serves. All must outlive the loop.
  MainLoop(const base::UniqueFd& signals, const FuseServer& server, Command* command, std::string device);

  /// Waits until the command has ended, a signal requests the end, or the mount is detached. Logs the reason
  /// if the daemon has to end by itself. Returns the exit status.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] int end_without_mount() const;
  [[nodiscard]] int end_by(int signal);

  const base::UniqueFd& signals_;
  const FuseServer& server_;
  Command* command_;
  std::string device_;
  base::UniqueFd mount_table_;  ///< signals each change of the mount table (POLLPRI): proc(5)
};

}  // namespace cuse
