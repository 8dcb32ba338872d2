#include "cuse/node/node_lock.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "cuse/node/mount_table.h"
#include "cuse/service/failure.h"
#include "cuse/service/runtime_files.h"
#include "cuse/service/stop_signals.h"

namespace cuse {
namespace {

using base::UniqueFd;
using std::chrono::milliseconds;

/// Returns true if a signal stopped the process (Ctrl-Z). proc(5): "PID (NAME) STATE ...".
bool is_stopped(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.substr(name_end).starts_with(") T");
}

[[noreturn]] void fail_as_taken(const std::string& path, pid_t daemon) {
  const std::string process = std::to_string(daemon);
  const std::string hint =
      is_stopped(daemon) ? ", which is stopped (kill -CONT " + process + " continues it)" : "";
  fail(EBUSY, "the device " + path + " is served by another fbemud (process " + process + ")" + hint +
                  "; end that one or name another --device");
}

[[noreturn]] void fail_as_silent(const std::string& path, pid_t daemon) {
  const std::string process = std::to_string(daemon);
  // "kill -KILL 0" would end the user's own processes.
  const std::string which = daemon > 0 ? " (process " + process + ")" : "";
  const std::string remedy =
      daemon > 0 ? "continue it (kill -CONT " + process + "), end it (kill -KILL " + process + ")"
                 : "continue it, end it";
  fail(EBUSY, "the mount on " + path + " does not answer: its fbemud" + which + " is stopped or hangs; " +
                  remedy + " or name another --device");
}

/// Returns the process that holds a lock on a file, or 0 if it cannot be found. proc(5), /proc/locks:
/// "NUMBER: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END", the device in hexadecimal.
pid_t lock_holder(const struct stat& file) {
  std::ifstream table("/proc/locks");
  std::ostringstream name;
  name << std::hex << std::setfill('0') << std::setw(2) << major(file.st_dev) << ':' << std::setw(2)
       << minor(file.st_dev) << ':' << std::dec << file.st_ino;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string skipped;
    std::string type;
    std::string where;
    pid_t process = 0;
    if (words >> skipped >> type >> skipped >> skipped >> process >> where && type == "FLOCK" &&
        where == name.str()) {
      return process;
    }
  }
  return 0;
}

/// The contents of the lock file: the daemon's process id, and the file that the daemon made, if any.
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

/// Returns true if the process has ended or ends within a short timeout: a killed process stays visible for a
/// moment.
bool ends_soon(pid_t process, const std::string& waiting) {
  constexpr milliseconds timeout{300};
  const UniqueFd descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!descriptor) return errno == ESRCH;
  return wait_during_start(descriptor.get(), timeout, waiting);
}

}  // namespace

NodeLock::NodeLock(const std::string& device, milliseconds timeout)
    : device_(resolve_device(device)), timeout_(timeout) {
  make_runtime_directory();
  try {
    lock();
  } catch (...) {
    release();
    throw;
  }
}

NodeLock::~NodeLock() {
  release();
}

/// Takes the lock. Its holder removes the file while it is locked, so after locking the file is compared with
/// the one that has the name now.
void NodeLock::lock() {
  lock_path_ = runtime_directory() + "/" + runtime_name(path()) + ".lock";
  while (!lock_) {
    UniqueFd file = open_file();
    wait_for(file);
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

UniqueFd NodeLock::open_file() const {
  constexpr mode_t for_owner = 0600;
  constexpr mode_t for_others = 0077;
  UniqueFd file(::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, for_owner));
  if (!file) fail(errno, "cannot open the lock file " + lock_path_);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(errno, "cannot read the status of the lock file " + lock_path_);
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || status.st_nlink > 1) {
    fail(EPERM, "the lock file " + lock_path_ + " is not a file of fbemud; remove it");
  }
  // Another user who can open the file can hold the lock.
  if ((status.st_mode & for_others) != 0 && ::fchmod(file.get(), for_owner) != 0) {
    fail(errno, "cannot close the lock file " + lock_path_ + " to other users");
  }
  return file;
}

/// Locks `file`. While a daemon that was killed is recorded in it, its guard is cleaning up, which takes it
/// milliseconds; while none is recorded yet, another daemon starts.
void NodeLock::wait_for(const UniqueFd& file) const {
  constexpr milliseconds pause{10};
  const auto deadline = std::chrono::steady_clock::now() + timeout_;
  const std::string waiting = "stopped while waiting for the lock " + lock_path_;
  bool logged = false;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) fail(errno, "cannot lock " + lock_path_);
    const pid_t daemon = read_record(file.get()).daemon;
    if (daemon > 0 && !ends_soon(daemon, waiting)) fail_as_taken(path(), daemon);
    if (!std::exchange(logged, true)) {
      spdlog::debug("waiting until what process {} left on {} is removed", daemon, path());
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      struct stat status {};
      ::fstat(file.get(), &status);
      const pid_t holder = lock_holder(status);
      fail(EBUSY, "the lock file " + lock_path_ + " is held by " +
                      (holder > 0 ? "process " + std::to_string(holder)
                                  : "a process that \"fuser " + lock_path_ + "\" shows") +
                      ", though no fbemud serves " + path() + "; end that process, or remove the file");
    }
    wait_during_start(-1, pause, waiting);
  }
}

void NodeLock::clear_stale_mount() const {
  while (const auto mount = find_framebuffer_mount(path())) {
    const MountState state = probe_mount(path(), mount->daemon);
    if (state == MountState::serving) fail_as_taken(path(), mount->daemon);
    if (state == MountState::silent) fail_as_silent(path(), mount->daemon);
    spdlog::info("removing the mount that process {} left on {}", mount->daemon, path());
    if (const auto detached = detach_mount(path()); !detached) {
      fail(detached.error().value(),
           "cannot remove the mount that process " + std::to_string(mount->daemon) + " left on " + path());
    }
  }
}

void NodeLock::remove_recorded_file() const {
  const Record record = read_record(lock_.get());
  const std::string name = device_.name();
  struct stat status {};
  if (!record.created || ::fstatat(device_.folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      status.st_dev != record.device || status.st_ino != record.inode) {
    return;
  }
  if (::unlinkat(device_.folder.get(), name.c_str(), 0) != 0) {
    spdlog::warn("cannot remove {}: {}", path(), std::generic_category().message(errno));
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
