#include "cuse/session/cuse_requests.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace cuse {

CuseRequests::CuseRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads,
                           IoctlWorkers& ioctl_workers, std::function<void()> on_init_done)
    : SessionRequests(framebuffer, threads, ioctl_workers), on_init_done_(std::move(on_init_done)) {}

void CuseRequests::connect(base::UniqueFd file) {
  file_ = std::move(file);
  connected_file_ = file_.get();
}

void CuseRequests::init_done(void* user_data) noexcept {
  from_user_data<CuseRequests>(user_data).on_init_done_();
}

void CuseRequests::open(Request& request, fuse_file_info* file) {
  open_file(request, *file);
}

void CuseRequests::release(Request& request, fuse_file_info* file) {
  release_file(request, file->fh);
}

/// Transfers one piece of a read or write at the file's position. Returns its size. Errors: ENODEV before
/// connect(); those of pread(2) and pwrite(2).
base::Result<size_t> CuseRequests::transfer(uint64_t handle, off_t offset, Direction direction, void* bytes,
                                            size_t size) {
  const int file = connected_file_;
  if (file < 0) return base::failure(ENODEV);
  const uint64_t position = position_of_piece(handle, static_cast<uint64_t>(offset));
  const auto from = static_cast<off_t>(position);
  const ssize_t moved = direction == Direction::into_file ? ::pwrite(file, bytes, size, from)
                                                          : ::pread(file, bytes, size, from);
  if (moved < 0) return base::failure_from_errno();
  set_position(handle, position + static_cast<uint64_t>(moved));
  return static_cast<size_t>(moved);
}

void CuseRequests::read(Request& request, size_t size, off_t offset, fuse_file_info* file) {
  thread_local std::vector<char> buffer;
  buffer.resize(size);
  const auto moved = transfer(file->fh, offset, Direction::from_file, buffer.data(), size);
  if (moved) {
    ::fuse_reply_buf(request.take(), buffer.data(), *moved);
  } else {
    ::fuse_reply_err(request.take(), moved.error().value());
  }
}

void CuseRequests::write(Request& request, const char* data, size_t size, off_t offset,
                         fuse_file_info* file) {
  // pwrite() only reads the data; transfer() serves both directions.
  const auto moved =
      transfer(file->fh, offset, Direction::into_file, const_cast<char*>(data), size);  // NOLINT
  if (moved) {
    ::fuse_reply_write(request.take(), *moved);
  } else {
    ::fuse_reply_err(request.take(), moved.error().value());
  }
}

void CuseRequests::ioctl(Request& request, int command, void* argument, fuse_file_info*, unsigned flags,
                         const void*, size_t, size_t) {
  handle_ioctl(request, static_cast<unsigned>(command), argument, flags);
}

/// Answers as a device without a poll operation: always ready.
void CuseRequests::poll(Request& request, fuse_file_info*, fuse_pollhandle* handle) {
  if (handle != nullptr) ::fuse_pollhandle_destroy(handle);
  ::fuse_reply_poll(request.take(), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
}

cuse_lowlevel_ops CuseRequests::make_operations() {
  cuse_lowlevel_ops operations{};
  operations.init_done = &init_done;
  operations.open = guarded<&CuseRequests::open>;
  operations.read = guarded<&CuseRequests::read>;
  operations.write = guarded<&CuseRequests::write>;
  operations.release = guarded<&CuseRequests::release>;
  operations.ioctl = guarded<&CuseRequests::ioctl>;
  operations.poll = guarded<&CuseRequests::poll>;
  return operations;
}

const cuse_lowlevel_ops& CuseRequests::operations() {
  static const cuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace cuse
