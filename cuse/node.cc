#include "cuse/node.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/limits.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include "cuse/mount_table.h"
#include "cuse/runtime_files.h"

namespace cuse {
namespace {

using drmclient::UniqueFd;

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

/// The folder of `device` without symbolic links, and its last part as it is: that may be a mount of a daemon
/// that has gone, which must not be touched before it is known to be.
std::string resolve_folder(const std::string& device) {
  const size_t slash = device.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : device.substr(0, slash);
  const std::string name = slash == std::string::npos ? device : device.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") fail(EISDIR, "the device " + device + " is a folder");
  std::array<char, PATH_MAX> resolved{};
  if (::realpath(folder.c_str(), resolved.data()) == nullptr) {
    fail(errno, "the folder " + folder + " of the device " + device + " cannot be used");
  }
  std::string path = resolved.data();
  return (path == "/" ? "" : path) + "/" + name;
}

std::string read_all(int fd) {
  std::array<char, 256> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<size_t>(size)) : std::string();
}

/// The process id that a lock record starts with; 0 where it is not written yet.
pid_t process_in(const std::string& record) {
  pid_t process = 0;
  std::from_chars(record.data(), record.data() + record.size(), process);
  return process;
}

}  // namespace

std::string Node::first_free_device() {
  constexpr int most_framebuffers = 32;  // FB_MAX
  for (int number = 0; number < most_framebuffers; ++number) {
    std::string path = "/dev/fb" + std::to_string(number);
    const auto mount = find_framebuffer_mount(path);
    struct stat status {};
    if ((mount && mount->dead) || (!mount && ::lstat(path.c_str(), &status) != 0 && errno == ENOENT))
      return path;
  }
  fail(ENOSPC, "all of /dev/fb0 to /dev/fb31 exist; name the one to cover with --device");
}

Node::Node(const std::string& device) : path_(resolve_folder(device)) {
  make_runtime_directory();
  try {
    lock();
    clear_stale_mount();
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
      std::array<char, PATH_MAX> target{};
      if (::realpath(path_.c_str(), target.data()) == nullptr) {
        fail(errno, "the device " + path_ + " is a symbolic link that leads nowhere");
      }
      remove();
      path_ = target.data();
      lock();
      clear_stale_mount();
    }
    take_path();
    record_creation();
  } catch (...) {
    remove();
    throw;
  }
}

Node::~Node() {
  remove();
}

/// The lock file is removed by its holder while locked, so that after locking it has to be seen whether it
/// still is the file of that name.
void Node::lock() {
  lock_path_ = runtime_directory() + "/" + runtime_name(path_) + ".lock";
  for (;;) {
    UniqueFd file(::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) fail(errno, "cannot open the lock file " + lock_path_);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      const pid_t holder = process_in(read_all(file.get()));
      if (holder <= 0 || ::kill(holder, 0) == 0 || errno != ESRCH) {
        fail(EBUSY, "the device " + path_ + " is served by another fbemud (process " +
                        std::to_string(holder) + "); end that one or name another --device");
      }
      // The daemon has gone and its guard is cleaning up, which takes it milliseconds.
      spdlog::debug("waiting until what process {} left on {} is removed", holder, path_);
      if (::flock(file.get(), LOCK_EX) != 0) fail(errno, "cannot lock " + lock_path_);
    }
    struct stat ours {};
    struct stat named {};
    if (::fstat(file.get(), &ours) == 0 && ::stat(lock_path_.c_str(), &named) == 0 &&
        ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
      lock_record_ = read_all(file.get());
      lock_ = std::move(file);
      return;
    }
  }
}

void Node::clear_stale_mount() {
  while (const auto mount = find_framebuffer_mount(path_)) {
    if (!mount->dead) {
      fail(EBUSY, "the device " + path_ + " is served by another fbemud (process " +
                      std::to_string(mount->daemon) + "); end that one or name another --device");
    }
    spdlog::info("removing the mount that process {} left on {}", mount->daemon, path_);
    if (const int error = detach_mount(path_); error != 0) {
      fail(error,
           "cannot remove the mount that process " + std::to_string(mount->daemon) + " left on " + path_);
    }
  }
}

void Node::take_path() {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) {
    if (errno != ENOENT) fail(errno, "cannot look at the device " + path_);
    create_file();
    return;
  }
  if (S_ISDIR(status.st_mode)) fail(EISDIR, "the device " + path_ + " is a folder");
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
    fail(EINVAL, "the device " + path_ + " is neither a character device nor a plain file");
  }
  created_ = S_ISREG(status.st_mode) && was_created_by_killed_daemon(status.st_dev, status.st_ino);
  file_device_ = status.st_dev;
  file_inode_ = status.st_ino;
  uid_ = status.st_uid;
  gid_ = status.st_gid;
  permissions_ = status.st_mode & 0777;
}

void Node::create_file() {
  constexpr mode_t for_user = 0600;
  constexpr mode_t for_video_group = 0660;
  const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, for_user));
  if (!file) {
    const std::string hint =
        errno == EACCES || errno == EPERM ? "; name a --device in a folder of yours" : "";
    fail(errno, "cannot make the device " + path_ + hint);
  }
  struct stat status {};
  ::fstat(file.get(), &status);
  created_ = true;
  file_device_ = status.st_dev;
  file_inode_ = status.st_ino;
  uid_ = ::geteuid();
  gid_ = ::getegid();
  permissions_ = for_user;
  if (uid_ != 0) return;
  // As udev's rules have it for framebuffers.
  permissions_ = for_video_group;
  if (const group* video = ::getgrnam("video"); video != nullptr) gid_ = video->gr_gid;
}

/// Written into the lock file: our process, and which file we made. Whoever finds the lock free but the
/// record there knows that its writer, and its guard, were killed.
void Node::record_creation() {
  std::ostringstream record;
  record << ::getpid();
  if (created_) record << " created " << file_device_ << ' ' << file_inode_;
  record << '\n';
  const std::string text = record.str();
  if (::ftruncate(lock_.get(), 0) != 0 ||
      ::pwrite(lock_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    fail(errno, "cannot write the lock file " + lock_path_);
  }
}

bool Node::was_created_by_killed_daemon(dev_t device, ino_t inode) const {
  std::istringstream record(lock_record_);
  pid_t daemon = 0;
  std::string word;
  dev_t recorded_device = 0;
  ino_t recorded_inode = 0;
  record >> daemon >> word >> recorded_device >> recorded_inode;
  return record && word == "created" && recorded_device == device && recorded_inode == inode;
}

void Node::remove() {
  if (!lock_) return;
  struct stat status {};
  if (created_ && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == file_device_ &&
      status.st_ino == file_inode_ && ::unlink(path_.c_str()) != 0) {
    spdlog::warn("cannot remove {}: {}", path_, std::generic_category().message(errno));
  }
  ::unlink(lock_path_.c_str());
  lock_.reset();
}

}  // namespace cuse
