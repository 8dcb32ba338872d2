#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/mutex.h"
#include "cuse/session/ioctl_calls.h"
#include "cuse/session/ioctl_workers.h"
#include "cuse/session/libfuse.h"
#include "cuse/session/request.h"
#include "cuse/session/session_threads.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The requests of one session, translated into calls of the framebuffer: the common part of the FUSE file
/// and the CUSE device. It is the user data of its libfuse session. Thread-safe.
class SessionRequests : public SessionData {
 public:
  /// The arguments must outlive this object.
  SessionRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads, IoctlWorkers& ioctl_workers);
  SessionRequests(const SessionRequests&) = delete;
  SessionRequests& operator=(const SessionRequests&) = delete;

  /// Returns the user data for libfuse, as the handlers of requests expect it.
  [[nodiscard]] void* user_data() { return static_cast<SessionData*>(this); }

 protected:
  /// The owner of an open file.
  enum class Owner {
    program,
    daemon  ///< its files are neither counted nor reported to the framebuffer
  };

  ~SessionRequests() = default;

  [[nodiscard]] fbemu::Framebuffer& framebuffer() { return framebuffer_; }

  /// Opens a file, sets its handle in `file` and answers.
  void open_file(Request& request, fuse_file_info& file, Owner owner = Owner::program) BASE_EXCLUDES(mutex_);
  /// Closes the file of `handle` and answers.
  void release_file(Request& request, uint64_t handle) BASE_EXCLUDES(mutex_);
  /// Passes an ioctl to the framebuffer and answers at once or later.
  void handle_ioctl(Request& request, unsigned command, void* argument, unsigned flags) {
    ioctl_calls_.handle(request, command, argument, flags);
  }

  /// Returns the file position of a piece of a read or write. CUSE passes no file offsets: each system call
  /// starts at 0 and is cut into pieces at rising offsets.
  [[nodiscard]] uint64_t position_of_piece(uint64_t handle, uint64_t offset) BASE_EXCLUDES(mutex_);
  /// Sets the file position to the end of a transferred piece.
  void set_position(uint64_t handle, uint64_t position) BASE_EXCLUDES(mutex_);

 private:
  struct OpenFile {
    Owner owner = Owner::program;
    fbemu::Opener opener;
    uint64_t call_start = 0;  ///< file position at which the current system call started
    uint64_t position = 0;
  };

  class OpenAnswer;
  /// Answers the open of a program after the framebuffer's memory was cleared. No thread waits for that,
  /// because the session's threads serve the requests of the clearing.
  void open_after_clear(Request& request, const fuse_file_info& file) BASE_EXCLUDES(mutex_);
  std::optional<OpenFile> forget_file(uint64_t handle) BASE_EXCLUDES(mutex_);
  void close_file(uint64_t handle) BASE_EXCLUDES(mutex_);

  fbemu::Framebuffer& framebuffer_;
  std::shared_ptr<Mailbox> mailbox_;
  IoctlCalls ioctl_calls_;

  base::Mutex mutex_;
  /// The open files by handle. The kernel sends no release for files still open at the end of the session.
  std::unordered_map<uint64_t, OpenFile> open_files_ BASE_GUARDED_BY(mutex_);
  uint64_t last_handle_ BASE_GUARDED_BY(mutex_) = 0;
};

}  // namespace cuse
