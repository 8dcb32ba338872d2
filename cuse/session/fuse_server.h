#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/event_fd.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cuse/session/fuse_requests.h"
#include "cuse/session/session.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The file that programs open.
struct ServedFile {
  std::string path;  ///< the mount point: a plain file or a character device
  FileAttributes attributes;
  int mount_point = -1;  ///< the mount point, open with O_PATH; -1: the file at `path`
};

/// The FUSE mount that serves a framebuffer. Its root is a regular file, mounted right over the device node.
///
/// Its threads have a table of descriptors of their own, and only that table has the FUSE channel. The
/// process may be killed while another thread (the presenter) waits in the kernel for page writeback. That
/// thread then does not keep the channel open, so the kernel aborts the connection, and the process can exit.
/// Hence only these threads use the channel; other threads post their answers to them. No thread waits for a
/// vblank.
class FuseServer final : public Session {
 public:
  /// The source of the channel and the time limit of the destructor, which tests replace.
  struct Environment {
    /// Returns the channel in place of a mount. Called on the thread that serves it, which has a table of
    /// descriptors of its own.
    std::function<base::UniqueFd()> open_channel;
    std::chrono::milliseconds stop_timeout{5000};
  };

  FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, IoctlWorkers& ioctl_workers);
  FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, IoctlWorkers& ioctl_workers,
             Environment environment);
  /// Ends the process if a thread does not end, because the thread would use destroyed objects.
  ~FuseServer() override;
  FuseServer(const FuseServer&) = delete;
  FuseServer& operator=(const FuseServer&) = delete;

  /// Opens the served file with `flags` (O_RDONLY or O_RDWR) for the daemon itself. The file is not counted
  /// as a program's, and its close does not write pages back. Throws std::system_error.
  [[nodiscard]] base::UniqueFd open_own(int flags);

  /// Returns a descriptor that is readable after the session ended without stop().
  [[nodiscard]] int ended_descriptor() const { return ended_event_.get(); }
  /// Returns the cause, once ended_descriptor() is readable.
  [[nodiscard]] SessionEnd end() const BASE_EXCLUDES(mutex_);

  /// Detaches the mount (programs keep their mappings), answers the pending requests, and ends the threads.
  /// Returns false if a thread did not end in time; the process must then exit without destroying this
  /// object.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

 private:
  FuseSession open() override;
  void prepared() override { report_started(); }
  void ended(const SessionEnd& end) override BASE_EXCLUDES(mutex_);

  void separate_descriptors() const;
  void mount(fuse_session& session);
  void mount_as_root(fuse_session& session);

  fbemu::Framebuffer& framebuffer_;
  const ServedFile file_;
  Environment environment_;
  base::EventFd ended_event_;
  FuseRequests requests_;
  bool detached_ = false;

  mutable base::Mutex mutex_;
  SessionEnd end_ BASE_GUARDED_BY(mutex_);
};

}  // namespace cuse
