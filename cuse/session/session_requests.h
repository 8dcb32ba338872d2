#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "cuse/session/ioctl_calls.h"
#include "cuse/session/ioctl_workers.h"
#include "cuse/session/libfuse.h"
#include "cuse/session/request.h"
#include "cuse/session/session_threads.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The requests of one session, translated into calls of the framebuffer: what a FUSE file and a CUSE device
/// have in common. It is the user data of its libfuse session. Thread-safe.
class SessionRequests : public SessionData {
 public:
  /// All of them must outlive it.
  SessionRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads, IoctlWorkers& ioctl_workers);
  SessionRequests(const SessionRequests&) = delete;
  SessionRequests& operator=(const SessionRequests&) = delete;

  /// The user data for libfuse, as handlers of requests expect it.
  [[nodiscard]] void* user_data() { return static_cast<SessionData*>(this); }

 protected:
  /// Whose file an open file is.
  enum class Owner {
    program,
    daemon  ///< not counted, and never closed for the framebuffer
  };

  ~SessionRequests() = default;

  [[nodiscard]] fbemu::Framebuffer& framebuffer() { return framebuffer_; }

  /// Opens a file, sets the handle in `file` and answers.
  void open_file(Request& request, fuse_file_info& file, Owner owner = Owner::program);
  /// Closes the file of `handle` and answers.
  void release_file(Request& request, uint64_t handle);
  /// Brings an ioctl to the framebuffer and answers now or later.
  void handle_ioctl(Request& request, unsigned command, void* argument, unsigned flags) {
    ioctl_calls_.handle(request, command, argument, flags);
  }

  /// Returns the position of a piece of a read or write. CUSE passes no file offsets: each system call starts
  /// at 0 and is cut into pieces at rising offsets.
  [[nodiscard]] uint64_t position_of_piece(uint64_t handle, uint64_t offset);
  /// Sets the position behind a piece that was moved.
  void set_position(uint64_t handle, uint64_t position);

 private:
  struct OpenFile {
    Owner owner = Owner::program;
    fbemu::Opener opener;
    uint64_t call_start = 0;  ///< position at which the system call under way started
    uint64_t position = 0;
  };

  void close_file(uint64_t handle);

  fbemu::Framebuffer& framebuffer_;
  IoctlCalls ioctl_calls_;

  std::mutex mutex_;
  /// By handle. For files that are still open at the end the kernel sends no release.
  std::unordered_map<uint64_t, OpenFile> open_files_;
  uint64_t last_handle_ = 0;
};

}  // namespace cuse
