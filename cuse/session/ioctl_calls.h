#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/mutex.h"
#include "cuse/session/ioctl_workers.h"
#include "cuse/session/libfuse.h"
#include "cuse/session/request.h"
#include "cuse/session/session_threads.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The ioctls of one session: passed to the framebuffer and answered, at once or later.
///
/// The fbdev numbers have no size bits, so the kernel passes the bare argument (fuse_do_ioctl() in
/// fs/fuse/ioctl.c; restricted mode for a file, unrestricted mode for a CUSE device). The structures are read
/// from the program's memory with process_vm_readv(2).
class IoctlCalls {
 public:
  IoctlCalls(fbemu::Framebuffer& framebuffer, SessionThreads& threads, IoctlWorkers& ioctl_workers);
  IoctlCalls(const IoctlCalls&) = delete;
  IoctlCalls& operator=(const IoctlCalls&) = delete;
  ~IoctlCalls() = default;

  /// Handles one request, on one of the session's threads. The session's user data must be a SessionData.
  void handle(Request& request, unsigned command, void* argument, unsigned flags);

 private:
  class Call;
  class Answer;
  /// The answer to an interruptible ioctl.
  struct Interruptible {
    std::shared_ptr<Answer> answer;
    bool watched = false;      ///< true if libfuse has the callback
    bool interrupted = false;  ///< true if a signal came, even before `watched`
  };

  // These post answers or call libfuse.
  void watch_for_interrupt(Request& request, const std::shared_ptr<Answer>& answer) BASE_EXCLUDES(mutex_);
  void forget(uint64_t id) BASE_EXCLUDES(mutex_);
  void interrupt(uint64_t id) BASE_EXCLUDES(mutex_);
  static void interrupted(fuse_req_t request, void* id);

  fbemu::Framebuffer& framebuffer_;
  SessionThreads& threads_;
  IoctlWorkers& ioctl_workers_;
  base::Mutex mutex_;
  /// The interruptible ioctls that were not answered yet, by number.
  std::unordered_map<uint64_t, Interruptible> interruptible_ BASE_GUARDED_BY(mutex_);
  uint64_t last_id_ BASE_GUARDED_BY(mutex_) = 0;
};

}  // namespace cuse
