#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>

#include "base/result.h"
#include "base/unique_fd.h"
#include "cuse/session/libfuse.h"
#include "cuse/session/session_requests.h"
// libfuse's header for CUSE needs the one above it.
#include <cuse_lowlevel.h>

namespace cuse {

/// The requests to the CUSE device. Reads and writes go through the FUSE file as any program's, so both paths
/// see the same pixels at once.
class CuseRequests final : public SessionRequests {
 public:
  /// `on_init_done` is called once, when the kernel has received the answer to CUSE_INIT. It must not throw.
  CuseRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads, IoctlWorkers& ioctl_workers,
               std::function<void()> on_init_done);

  /// Returns the table for cuse_lowlevel_new(), whose user data is user_data().
  [[nodiscard]] static const cuse_lowlevel_ops& operations();

  /// Directs reads and writes to `file`, the FUSE file open for both. Before this call they return ENODEV.
  void connect(base::UniqueFd file);

 private:
  static void init_done(void* user_data) noexcept;
  void open(Request& request, fuse_file_info* file);
  void release(Request& request, fuse_file_info* file);
  void read(Request& request, size_t size, off_t offset, fuse_file_info* file);
  void write(Request& request, const char* data, size_t size, off_t offset, fuse_file_info* file);
  void ioctl(Request& request, int command, void* argument, fuse_file_info*, unsigned flags, const void*,
             size_t, size_t);
  static void poll(Request& request, fuse_file_info*, fuse_pollhandle* handle);

  [[nodiscard]] static cuse_lowlevel_ops make_operations();
  enum class Direction { from_file, into_file };
  [[nodiscard]] base::Result<size_t> transfer(uint64_t handle, off_t offset, Direction direction, void* bytes,
                                              size_t size);

  std::function<void()> on_init_done_;
  base::UniqueFd file_;
  std::atomic<int> connected_file_{-1};
};

}  // namespace cuse
