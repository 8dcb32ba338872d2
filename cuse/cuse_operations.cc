#include "cuse/cuse_operations.h"

#include <poll.h>

#include <cerrno>
#include <vector>

#include "cuse/cuse_device.h"
#include "cuse/request.h"
#include "cuse/request_opener.h"

namespace cuse {

/// The handlers; each finds its CuseDevice in the request. They run on the session's threads.
struct CuseOperations {
  static CuseDevice& device_in(void* user_data) {
    return *static_cast<CuseDevice*>(static_cast<SessionData*>(user_data));
  }
  static CuseDevice& device_of(const Request& request) {
    return device_in(::fuse_req_userdata(request.get()));
  }

  static void init_done(void* user_data) noexcept { device_in(user_data).check_node(); }

  static void open(Request& request, fuse_file_info* file) {
    CuseDevice& device = device_of(request);
    const fbemu::Opener opener = opener_of(request.get(), *file);
    {
      const std::lock_guard lock(device.mutex_);
      file->fh = ++device.last_handle_;
      device.open_files_[file->fh].opener = opener;
    }
    if (const int error = device.framebuffer_.open(opener); error != 0) {
      const std::lock_guard lock(device.mutex_);
      device.open_files_.erase(file->fh);
      ::fuse_reply_err(request.take(), error);
      return;
    }
    // An opener that was killed meanwhile sends no release.
    if (::fuse_reply_open(request.take(), file) == -ENOENT) forget(device, file->fh);
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

  static void release(Request& request, fuse_file_info* file) {
    forget(device_of(request), file->fh);
    ::fuse_reply_err(request.take(), 0);
  }

  static void read(Request& request, size_t size, off_t offset, fuse_file_info* file) {
    thread_local std::vector<char> buffer;
    buffer.resize(size);
    const ssize_t moved = device_of(request).transfer(file->fh, offset, false, buffer.data(), size);
    if (moved < 0) {
      ::fuse_reply_err(request.take(), static_cast<int>(-moved));
    } else {
      ::fuse_reply_buf(request.take(), buffer.data(), static_cast<size_t>(moved));
    }
  }

  static void write(Request& request, const char* data, size_t size, off_t offset, fuse_file_info* file) {
    // pwrite() only reads from it; the function is the same for both ways.
    const ssize_t moved = device_of(request).transfer(file->fh, offset, true, const_cast<char*>(data), size);
    if (moved < 0) {
      ::fuse_reply_err(request.take(), static_cast<int>(-moved));
    } else {
      ::fuse_reply_write(request.take(), static_cast<size_t>(moved));
    }
  }

  static void ioctl(Request& request, int command, void* argument, fuse_file_info*, unsigned flags,
                    const void*, size_t, size_t) {
    device_of(request).ioctl_calls_.handle(request, static_cast<unsigned>(command), argument, flags);
  }

  /// As a device without a poll hook: always ready.
  static void poll(Request& request, fuse_file_info*, fuse_pollhandle* handle) {
    if (handle != nullptr) ::fuse_pollhandle_destroy(handle);
    ::fuse_reply_poll(request.take(), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
  }

  static cuse_lowlevel_ops make() {
    cuse_lowlevel_ops operations{};
    operations.init_done = &init_done;
    operations.open = guarded<&open>;
    operations.read = guarded<&read>;
    operations.write = guarded<&write>;
    operations.release = guarded<&release>;
    operations.ioctl = guarded<&ioctl>;
    operations.poll = guarded<&poll>;
    return operations;
  }
};

const cuse_lowlevel_ops& cuse_operations() {
  static const cuse_lowlevel_ops operations = CuseOperations::make();
  return operations;
}

}  // namespace cuse
