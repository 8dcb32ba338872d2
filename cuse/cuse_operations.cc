#include "cuse/cuse_operations.h"

#include <poll.h>

#include <cerrno>
#include <vector>

#include "cuse/cuse_device.h"
#include "cuse/request_opener.h"

namespace cuse {

/// The handlers; each finds its CuseDevice in the request. They run on the session's threads.
struct CuseOperations {
  static CuseDevice& device_in(void* user_data) {
    return *static_cast<CuseDevice*>(static_cast<SessionData*>(user_data));
  }
  static CuseDevice& device_of(fuse_req_t request) { return device_in(::fuse_req_userdata(request)); }

  static void init_done(void* user_data) { device_in(user_data).check_node(); }

  static void open(fuse_req_t request, fuse_file_info* file) {
    CuseDevice& device = device_of(request);
    const fbemu::Opener opener = opener_of(request, *file);
    {
      const std::lock_guard lock(device.mutex_);
      file->fh = ++device.last_handle_;
      device.open_files_[file->fh].opener = opener;
    }
    if (const int error = device.framebuffer_.open(opener); error != 0) {
      const std::lock_guard lock(device.mutex_);
      device.open_files_.erase(file->fh);
      ::fuse_reply_err(request, error);
      return;
    }
    // An opener that was killed meanwhile sends no release.
    if (::fuse_reply_open(request, file) == -ENOENT) forget(device, file->fh);
  }

  static void forget(CuseDevice& device, uint64_t handle) {
    fbemu::Opener opener;
    {
      const std::lock_guard lock(device.mutex_);
      opener = device.open_files_[handle].opener;
      device.open_files_.erase(handle);
    }
    device.framebuffer_.close(opener);
  }

  static void release(fuse_req_t request, fuse_file_info* file) {
    forget(device_of(request), file->fh);
    ::fuse_reply_err(request, 0);
  }

  static void read(fuse_req_t request, size_t size, off_t offset, fuse_file_info* file) {
    thread_local std::vector<char> buffer;
    buffer.resize(size);
    const ssize_t moved = device_of(request).transfer(file->fh, offset, false, buffer.data(), size);
    if (moved < 0) {
      ::fuse_reply_err(request, static_cast<int>(-moved));
    } else {
      ::fuse_reply_buf(request, buffer.data(), static_cast<size_t>(moved));
    }
  }

  static void write(fuse_req_t request, const char* data, size_t size, off_t offset, fuse_file_info* file) {
    // pwrite() only reads from it; the function is the same for both ways.
    const ssize_t moved = device_of(request).transfer(file->fh, offset, true, const_cast<char*>(data), size);
    if (moved < 0) {
      ::fuse_reply_err(request, static_cast<int>(-moved));
    } else {
      ::fuse_reply_write(request, static_cast<size_t>(moved));
    }
  }

  static void ioctl(fuse_req_t request, int command, void* argument, fuse_file_info*, unsigned flags,
                    const void*, size_t, size_t) {
    device_of(request).ioctl_calls_.handle(request, static_cast<unsigned>(command), argument, flags);
  }

  /// As a device without a poll hook: always ready.
  static void poll(fuse_req_t request, fuse_file_info*, fuse_pollhandle* handle) {
    if (handle != nullptr) ::fuse_pollhandle_destroy(handle);
    ::fuse_reply_poll(request, POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
  }

  static cuse_lowlevel_ops make() {
    cuse_lowlevel_ops operations{};
    operations.init_done = &init_done;
    operations.open = &open;
    operations.read = &read;
    operations.write = &write;
    operations.release = &release;
    operations.ioctl = &ioctl;
    operations.poll = &poll;
    return operations;
  }
};

const cuse_lowlevel_ops& cuse_operations() {
  static const cuse_lowlevel_ops operations = CuseOperations::make();
  return operations;
}

}  // namespace cuse
