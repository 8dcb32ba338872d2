#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>

#include "base/mutex.h"
#include "cuse/session/libfuse.h"
#include "cuse/session/session_requests.h"

namespace cuse {

/// Owner and permissions of the served file.
struct FileAttributes {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t permissions = 0660;
};

/// The requests to the FUSE file.
class FuseRequests final : public SessionRequests {
 public:
  FuseRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads, IoctlWorkers& ioctl_workers,
               const FileAttributes& attributes);

  /// Returns the table for fuse_session_new(), whose user data is user_data().
  [[nodiscard]] static const fuse_lowlevel_ops& operations();

  /// Treats opens by `thread` as the daemon's own from now on; 0 means no thread.
  void set_own_opener(pid_t thread) { own_opener_ = thread; }

 private:
  void getattr(Request& request, fuse_ino_t, fuse_file_info*);
  void setattr(Request& request, fuse_ino_t, struct stat* wanted, int to_set, fuse_file_info* file);
  void open(Request& request, fuse_ino_t, fuse_file_info* file);
  void release(Request& request, fuse_ino_t, fuse_file_info* file);
  void read(Request& request, fuse_ino_t, size_t size, off_t offset, fuse_file_info*);
  void write(Request& request, fuse_ino_t, const char* data, size_t size, off_t offset, fuse_file_info* file);
  void flush(Request& request, fuse_ino_t, fuse_file_info*);
  void fsync(Request& request, fuse_ino_t, int, fuse_file_info*);
  void statfs(Request& request, fuse_ino_t);
  void ioctl(Request& request, fuse_ino_t, unsigned command, void* argument, fuse_file_info*, unsigned flags,
             const void*, size_t, size_t);

  [[nodiscard]] static fuse_lowlevel_ops make_operations();
  [[nodiscard]] struct stat status() BASE_EXCLUDES(attributes_mutex_);
  void flush_then_reply(Request& request, bool reports_errors);

  SessionThreads& threads_;
  std::chrono::system_clock::time_point start_time_ = std::chrono::system_clock::now();
  std::atomic<pid_t> own_opener_{0};
  base::Mutex attributes_mutex_;
  FileAttributes attributes_ BASE_GUARDED_BY(attributes_mutex_);
};

}  // namespace cuse
