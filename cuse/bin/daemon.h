#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "cuse/bin/command.h"
#include "cuse/bin/daemon_options.h"
#include "cuse/control/control_server.h"
#include "cuse/control/control_socket.h"
#include "cuse/control/reports.h"
#include "cuse/keeper/guard.h"
#include "cuse/node/node_lock.h"
#include "cuse/node/served_path.h"
#include "cuse/session/cuse_device.h"
#include "cuse/session/fuse_pages.h"
#include "cuse/session/fuse_server.h"
#include "cuse/session/ioctl_workers.h"
#include "cuse/sleep/program_freezer.h"
#include "cuse/sleep/sleep_monitor.h"
#include "drmclient/card.h"
#include "drmclient/system/memory_pressure.h"
#include "drmclient/system/virtual_terminals.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The daemon that serves a card's framebuffer at a path. Use: start(), run(), and stop() in any case.
///
/// The members are declared in the order of their lifetimes: what a thread uses comes before the object that
/// owns the thread.
class Daemon {
 public:
  /// Opens the card, locks the path and starts the guard process. Must run before there are threads, because
  /// it forks. Throws std::system_error if serving cannot start, StopRequested if a signal comes while it
  /// waits for another daemon.
  explicit Daemon(DaemonOptions options);
  /// Must follow stop(), except when the constructor threw.
  ~Daemon() = default;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Mounts, starts presenting, answers fbemuctl, reports to the service manager, and starts the command.
  /// Throws std::exception with the reason if that fails; stop() then cleans up.
  void start();
  /// Serves until SIGTERM, SIGINT or SIGHUP, or until the command has ended. Returns the exit status: the
  /// command's, or 0; 1 if the mount was detached or the session ended.
  [[nodiscard]] int run();
  /// Ends the service and its threads, and leaves no mount, node or file behind. Returns `exit_status`. If a
  /// thread waits for a program's memory, ends the process with it instead.
  int stop(int exit_status);

 private:
  /// Stops the framebuffer at the end of this object's lifetime.
  class FramebufferStop {
   public:
    explicit FramebufferStop(fbemu::Framebuffer& framebuffer) : framebuffer_(framebuffer) {}
    FramebufferStop(const FramebufferStop&) = delete;
    FramebufferStop& operator=(const FramebufferStop&) = delete;
    ~FramebufferStop() { framebuffer_.stop(); }

   private:
    fbemu::Framebuffer& framebuffer_;
  };

  [[nodiscard]] std::string choose_device() const;
  [[nodiscard]] fbemu::FramebufferOptions framebuffer_options();
  void clean_up_after_kill();
  [[nodiscard]] std::string make_cuse_device();
  void mount();
  [[nodiscard]] ProgramFreezer::Options freezer_options() const;
  void log_start() const;
  void start_command();

  const DaemonOptions options_;
  const pid_t process_;
  base::UniqueFd signals_;
  std::unique_ptr<drmclient::Card> card_;
  drmclient::Output& output_;
  const drmclient::Mode initial_mode_;
  drmclient::KernelVirtualTerminals terminals_;
  drmclient::MemoryPressure pressure_;
  std::string device_;  ///< as it was chosen; `identity_` has the resolved path
  fbemu::Framebuffer framebuffer_;
  NodeLock lock_;
  ControlSocket control_socket_;  ///< until the control server owns it

  // Before there are threads, and before the CUSE device, because a copy of its channel would keep it alive.
  Guard guard_;

  // Before the front ends, which post to it.
  IoctlWorkers ioctl_workers_;
  std::unique_ptr<CuseDevice> cuse_device_;
  std::optional<ServedPath> served_path_;
  std::optional<FuseServer> server_;
  std::optional<FusePages> pages_;

  // After the front ends and the pages. A front end may receive requests before the framebuffer is started,
  // or although its start fails. Their answers use the front ends, and presenting uses the pages.
  FramebufferStop framebuffer_stop_{framebuffer_};
  DaemonIdentity identity_;
  std::optional<ProgramFreezer> freezer_;
  std::unique_ptr<SleepMonitor> sleep_monitor_;
  std::optional<ControlServer> control_server_;
  std::optional<Command> command_;
};

}  // namespace cuse
