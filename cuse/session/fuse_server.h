#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "base/unique_fd.h"
#include "cuse/session/fuse_requests.h"
#include "cuse/session/session.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The file that programs open.
struct ServedFile {
  std::string path;  ///< to mount on: a plain file or a character device
  FileAttributes attributes;
  int mount_point = -1;  ///< what to mount on, open with O_PATH; -1: what is at `path`
};

/// Serves a framebuffer as a FUSE mount whose root is a regular file, mounted right over the device node.
///
/// Its threads have a table of descriptors of their own, in which the FUSE channel is: when the process is
/// killed while another thread (the presenter) waits in the kernel for pages to be written back, that thread
/// does not keep the channel open, the kernel gives up on the mount, and the process can die. Hence
/// everything that touches the channel runs on these threads; answers that come from elsewhere are handed to
/// them. No thread waits for a vblank.
class FuseServer final : public Session {
 public:
  /// What is used instead of a mount and the time to end in; tests need neither kernel nor that time.
  struct Environment {
    /// Returns the channel; called on the thread that serves it, with a table of descriptors of its own.
    std::function<base::UniqueFd()> open_channel;
    std::chrono::milliseconds stop_timeout{5000};
  };

  FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, IoctlWorkers& ioctl_workers);
  FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, IoctlWorkers& ioctl_workers,
             Environment environment);
  /// Ends the process if a thread does not end: it would use what is destroyed afterwards.
  ~FuseServer() override;

  /// Opens the served file with `flags` (O_RDONLY or O_RDWR) for the daemon itself; not counted as a
  /// program's, and its close does not write pages back. Throws std::system_error.
  [[nodiscard]] base::UniqueFd open_own(int flags);

  /// Readable when the mount has ended without stop(); end() says why.
  [[nodiscard]] int ended_descriptor() const { return ended_event_.get(); }
  [[nodiscard]] SessionEnd end() const;

  /// Takes the mount away (programs keep what they have mapped), answers what has come, and ends the threads.
  /// False if a thread did not end in time; then the process can only exit without destroying this object.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

 private:
  FuseSession open() override;
  void prepared() override { report_started(); }
  void ended(const SessionEnd& end) override;

  void separate_descriptors() const;
  void mount(fuse_session& session);
  void mount_as_root(fuse_session& session);

  fbemu::Framebuffer& framebuffer_;
  const ServedFile file_;
  Environment environment_;
  base::UniqueFd ended_event_;
  FuseRequests requests_;
  bool detached_ = false;

  mutable std::mutex mutex_;
  SessionEnd end_;
};

}  // namespace cuse
