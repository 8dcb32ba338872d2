#include "cuse/node_lock.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
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

[[noreturn]] void fail_as_taken(const std::string& path, pid_t daemon) {
  fail(EBUSY, "the device " + path + " is served by another fbemud (process " + std::to_string(daemon) +
                  "); end that one or name another --device");
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

/// What the lock file says: the daemon's process id, and the file that it made, if it did.
struct Record {
  pid_t daemon = 0;
  bool created = false;
  dev_t device = 0;
  ino_t inode = 0;
};

Record read_record(int file) {
  std::array<char, 256> text{};
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  std::istringstream words(size > 0 ? std::string(text.data(), static_cast<size_t>(size)) : std::string());
  Record record;
  std::string created;
  words >> record.daemon >> created >> record.device >> record.inode;
  record.created = words && created == "created";
  return record;
}

/// Whether the process has gone, or is going: one that was just killed is still seen for a moment.
bool ends_soon(pid_t process) {
  constexpr int patience_ms = 300;
  const UniqueFd descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!descriptor) return errno == ESRCH;
  pollfd end{descriptor.get(), POLLIN, 0};
  return ::poll(&end, 1, patience_ms) == 1;
}

}  // namespace

NodeLock::NodeLock(const std::string& device) : path_(resolve_folder(device)) {
  make_runtime_directory();
  try {
    lock();
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
      std::array<char, PATH_MAX> target{};
      if (::realpath(path_.c_str(), target.data()) == nullptr) {
        fail(errno, "the device " + path_ + " is a symbolic link that leads nowhere");
      }
      release();
      path_ = target.data();
      lock();
    }
  } catch (...) {
    release();
    throw;
  }
}

NodeLock::~NodeLock() {
  release();
}

/// The lock file is removed by its holder while locked, so that after locking it has to be seen whether it
/// still is the file of that name.
void NodeLock::lock() {
  lock_path_ = runtime_directory() + "/" + runtime_name(path_) + ".lock";
  while (!lock_) {
    UniqueFd file(::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) fail(errno, "cannot open the lock file " + lock_path_);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      const pid_t holder = read_record(file.get()).daemon;
      if (holder <= 0 || !ends_soon(holder)) fail_as_taken(path_, holder);
      // The daemon has gone and its guard is cleaning up, which takes it milliseconds.
      spdlog::debug("waiting until what process {} left on {} is removed", holder, path_);
      if (::flock(file.get(), LOCK_EX) != 0) fail(errno, "cannot lock " + lock_path_);
    }
    struct stat ours {};
    struct stat named {};
    if (::fstat(file.get(), &ours) == 0 && ::stat(lock_path_.c_str(), &named) == 0 &&
        ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
      lock_ = std::move(file);
    }
  }
  clear_stale_mount();
  remove_recorded_file();
  write_record({});
}

void NodeLock::clear_stale_mount() const {
  while (const auto mount = find_framebuffer_mount(path_)) {
    if (!mount->dead) fail_as_taken(path_, mount->daemon);
    spdlog::info("removing the mount that process {} left on {}", mount->daemon, path_);
    if (const int error = detach_mount(path_); error != 0) {
      fail(error,
           "cannot remove the mount that process " + std::to_string(mount->daemon) + " left on " + path_);
    }
  }
}

void NodeLock::remove_recorded_file() const {
  const Record record = read_record(lock_.get());
  struct stat status {};
  if (!record.created || ::lstat(path_.c_str(), &status) != 0 || status.st_dev != record.device ||
      status.st_ino != record.inode) {
    return;
  }
  if (::unlink(path_.c_str()) != 0) {
    spdlog::warn("cannot remove {}: {}", path_, std::generic_category().message(errno));
  }
}

void NodeLock::write_record(const std::string& record) {
  const std::string text = std::to_string(::getpid()) + record + "\n";
  if (::ftruncate(lock_.get(), 0) != 0 ||
      ::pwrite(lock_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    fail(errno, "cannot write the lock file " + lock_path_);
  }
}

void NodeLock::record_file(dev_t device, ino_t inode) {
  write_record(" created " + std::to_string(device) + " " + std::to_string(inode));
}

void NodeLock::release() {
  if (!lock_) return;
  remove_recorded_file();
  ::unlink(lock_path_.c_str());
  lock_.reset();
}

}  // namespace cuse
