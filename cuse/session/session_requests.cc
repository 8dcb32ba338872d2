#include "cuse/session/session_requests.h"

#include <cerrno>
#include <utility>

#include "cuse/session/request_opener.h"

namespace cuse {

SessionRequests::SessionRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads,
                                 IoctlWorkers& ioctl_workers)
    : framebuffer_(framebuffer), ioctl_calls_(framebuffer, threads, ioctl_workers) {
  ioctls = &ioctl_calls_;
}

void SessionRequests::open_file(Request& request, fuse_file_info& file, Owner owner) {
  fbemu::Opener opener = opener_of(request.get(), file);
  {
    const base::MutexLock lock(mutex_);
    file.fh = ++last_handle_;
    open_files_[file.fh] = {owner, opener};
  }
  base::Result<void> opened;
  try {
    if (owner == Owner::program) opened = framebuffer_.open(opener);
  } catch (...) {
    forget_file(file.fh);
    throw;
  }
  if (!opened) {
    forget_file(file.fh);
    ::fuse_reply_err(request.take(), opened.error().value());
    return;
  }
  // If the opening program was killed in the meantime, the kernel sends no release.
  if (::fuse_reply_open(request.take(), &file) == -ENOENT) close_file(file.fh);
}

/// Removes and returns the file of `handle`; nothing if there is none.
std::optional<SessionRequests::OpenFile> SessionRequests::forget_file(uint64_t handle) {
  const base::MutexLock lock(mutex_);
  const auto found = open_files_.find(handle);
  if (found == open_files_.end()) return std::nullopt;
  std::optional<OpenFile> file = std::move(found->second);
  open_files_.erase(found);
  return file;
}

void SessionRequests::close_file(uint64_t handle) {
  const std::optional<OpenFile> file = forget_file(handle);
  if (file && file->owner == Owner::program) framebuffer_.close(file->opener);
}

void SessionRequests::release_file(Request& request, uint64_t handle) {
  close_file(handle);
  ::fuse_reply_err(request.take(), 0);
}

uint64_t SessionRequests::position_of_piece(uint64_t handle, uint64_t offset) {
  const base::MutexLock lock(mutex_);
  OpenFile& file = open_files_.at(handle);
  if (offset == 0) file.call_start = file.position;
  return file.call_start + offset;
}

void SessionRequests::set_position(uint64_t handle, uint64_t position) {
  const base::MutexLock lock(mutex_);
  open_files_.at(handle).position = position;
}

}  // namespace cuse
