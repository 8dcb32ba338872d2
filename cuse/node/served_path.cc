#include "cuse/node/served_path.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cuse/node/mount_table.h"
#include "cuse/service/failure.h"

namespace cuse {
std::string ServedPath::first_free_device() {
  constexpr int most_framebuffers = 32;  // FB_MAX
  for (int number = 0; number < most_framebuffers; ++number) {
    std::string path = "/dev/fb" + std::to_string(number);
    const auto mount = find_framebuffer_mount(path);
    struct stat status {};
    const bool left_behind = mount && probe_mount(path, mount->daemon) == MountState::dead;
    if (left_behind || (!mount && ::lstat(path.c_str(), &status) != 0 && errno == ENOENT)) {
      return path;
    }
  }
  fail(ENOSPC, "all of /dev/fb0 to /dev/fb31 exist; name the one to cover with --device");
}

ServedPath::ServedPath(NodeLock& lock) : path_(lock.path()) {
  const DevicePath& device = lock.device();
  file_.reset(::openat(device.folder.get(), device.name().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file_) {
    if (errno != ENOENT) fail(errno, "cannot read the status of the device " + path_);
    create_file(lock);
    return;
  }
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail(errno, "cannot read the status of the device " + path_);
  if (S_ISDIR(status.st_mode)) fail(EISDIR, "the device " + path_ + " is a folder");
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
    fail(EINVAL, "the device " + path_ + " is neither a character device nor a plain file");
  }
  check_device_owner(device, status);
  uid_ = status.st_uid;
  gid_ = status.st_gid;
  permissions_ = status.st_mode & 0777;
}

void ServedPath::create_file(NodeLock& lock) {
  constexpr mode_t for_user = 0600;
  const DevicePath& device = lock.device();
  file_.reset(::openat(device.folder.get(), device.name().c_str(),
                       O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, for_user));
  if (!file_) {
    const std::string hint =
        errno == EACCES || errno == EPERM ? "; name a --device in a folder of yours" : "";
    fail(errno, "cannot make the device " + path_ + hint);
  }
  struct stat status {};
  ::fstat(file_.get(), &status);
  created_ = true;
  try {
    lock.record_file(status.st_dev, status.st_ino);
  } catch (...) {
    ::unlinkat(device.folder.get(), device.name().c_str(), 0);
    throw;
  }
  uid_ = ::geteuid();
  const bool root = uid_ == 0;
  gid_ = root ? display_group() : ::getegid();
  permissions_ = root ? display_permissions : for_user;
}

gid_t display_group() {
  const group* video = ::getgrnam("video");
  return video != nullptr ? video->gr_gid : ::getegid();
}

}  // namespace cuse
