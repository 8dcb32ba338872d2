#include "cuse/node/mount_table.h"

#include <fcntl.h>
#include <libmount.h>
#include <poll.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"
#include "cuse/service/failure.h"
#include "cuse/service/stop_signals.h"

namespace cuse {
namespace {

/// The mount table of this process, read entry by entry. An entry that lies over another comes after it in
/// the table.
///
/// The calls of libmount here read the table and nothing else. Those that look up a path are not used,
/// because with a cache they access the mount point, and a stopped daemon would block them.
class MountTable {
 public:
  /// Reads the table; `direction` is MNT_ITER_FORWARD or MNT_ITER_BACKWARD. A table that cannot be read is
  /// empty.
  explicit MountTable(int direction)
      : table_(::mnt_new_table_from_file("/proc/self/mountinfo")), position_(::mnt_new_iter(direction)) {}

  /// Returns the next mount on `path`, or nullptr after the last one.
  libmnt_fs* next_on(const std::string& path) {
    libmnt_fs* mount = nullptr;
    while (table_ && position_ && ::mnt_table_next_fs(table_.get(), position_.get(), &mount) == 0) {
      if (text(::mnt_fs_get_target(mount)) == path) return mount;
    }
    return nullptr;
  }

  static bool is_framebuffer(libmnt_fs* mount) { return text(::mnt_fs_get_fstype(mount)) == mount_type; }
  static std::string_view source_of(libmnt_fs* mount) { return text(::mnt_fs_get_source(mount)); }

 private:
  struct Release {
    void operator()(libmnt_table* table) const { ::mnt_unref_table(table); }
    void operator()(libmnt_iter* position) const { ::mnt_free_iter(position); }
  };

  static std::string_view text(const char* field) { return field != nullptr ? field : ""; }

  std::unique_ptr<libmnt_table, Release> table_;
  std::unique_ptr<libmnt_iter, Release> position_;
};

/// A child process that reads the attributes of a mount. It is killed at the end of this object.
///
/// A process is used because a thread could not be abandoned. If the daemon of the mount has read the request
/// and does not answer, not even SIGKILL ends the wait. The child then stays until that daemon ends, and
/// holds no descriptor.
class Probe {
 public:
  explicit Probe(const std::string& path) : process_(::fork()) {
    if (process_ < 0) fail(errno, "cannot start a process");
    if (process_ == 0) ask(path.c_str());
    descriptor_.reset(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
    if (!descriptor_) {
      const int error = errno;
      end();
      fail(error, "pidfd_open");
    }
  }
  ~Probe() { end(); }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  /// Returns a descriptor that is readable when the mount has answered.
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// Returns true if the answer is that no daemon serves the mount.
  [[nodiscard]] bool found_dead() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOWAIT);
    return info.si_code == CLD_EXITED && info.si_status == dead;
  }

 private:
  static constexpr int dead = 1;

  [[noreturn]] static void ask(const char* path) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close_range(0, ~0U, 0);
    // AT_STATX_FORCE_SYNC bypasses the kernel's attribute cache, which outlives the daemon.
    struct statx status {};
    const bool failed = ::statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) != 0;
    ::_exit(failed && (errno == ENOTCONN || errno == ECONNABORTED) ? dead : 0);
  }

  void end() const {
    constexpr int timeout_ms = 100;
    ::kill(process_, SIGKILL);
    pollfd ended{descriptor_.get(), POLLIN, 0};
    ::poll(&ended, 1, timeout_ms);
    ::waitpid(process_, nullptr, WNOHANG);
  }

  pid_t process_;
  base::UniqueFd descriptor_;
};

}  // namespace

std::string mount_source(pid_t daemon) {
  return "fbemud:" + std::to_string(daemon);
}

std::optional<FramebufferMount> find_framebuffer_mount(const std::string& path) {
  MountTable table(MNT_ITER_BACKWARD);
  libmnt_fs* uppermost = table.next_on(path);
  if (uppermost == nullptr || !MountTable::is_framebuffer(uppermost)) return std::nullopt;
  FramebufferMount found;
  const std::string_view source = MountTable::source_of(uppermost);
  const size_t colon = source.find(':');
  if (colon != std::string_view::npos) {
    pid_t process = 0;
    std::from_chars(source.data() + colon + 1, source.data() + source.size(), process);
    // Another program may have made the mount, with any source. A negative number would name a process group.
    if (process > 0) found.daemon = process;
  }
  return found;
}

MountState probe_mount(const std::string& path, pid_t daemon, std::chrono::milliseconds limit) {
  spdlog::debug("asking whether process {} serves the mount on {}", daemon, path);
  const Probe probe(path);
  if (!wait_during_start(
          probe.descriptor(), limit,
          "stopped while waiting for process " + std::to_string(daemon) + ", which serves " + path)) {
    return MountState::silent;
  }
  return probe.found_dead() ? MountState::dead : MountState::serving;
}

bool is_mounted(const std::string& path, pid_t daemon) {
  MountTable table(MNT_ITER_FORWARD);
  const std::string source = mount_source(daemon);
  while (libmnt_fs* mount = table.next_on(path)) {
    if (MountTable::is_framebuffer(mount) && MountTable::source_of(mount) == source) return true;
  }
  return false;
}

base::Result<int> run_quietly(const char* const* arguments) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  // posix_spawnp does not change the strings; its interface has no const.
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, nullptr, const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::failure(error);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return base::failure_from_errno();
  }
  if (!WIFEXITED(status)) return base::failure(ECANCELED);
  return WEXITSTATUS(status);
}

base::Result<void> detach_mount(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return {};
  if (errno != EPERM) return base::failure_from_errno();
  const char* const arguments[] = {"fusermount3", "-u", "-z", "-q", path.c_str(), nullptr};
  if (run_quietly(arguments) != 0) return base::failure(EPERM);
  return {};
}

}  // namespace cuse
