#include "cuse/node/mount_table.h"

#include <fcntl.h>
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
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/unique_fd.h"
#include "cuse/service/stop_signals.h"

namespace cuse {
namespace {

/// proc(5): mountinfo writes blanks and backslashes in octal.
std::string unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(value);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct MountLine {
  std::string mount_point;
  std::string type;
  std::string source;
};

/// One line of mountinfo: ID PARENT MAJ:MIN ROOT MOUNT-POINT OPTIONS [FIELDS...] - TYPE SOURCE SUPER-OPTIONS
MountLine parse(const std::string& line) {
  std::istringstream words(line);
  MountLine mount;
  std::string word;
  for (int field = 0; words >> word && word != "-"; ++field) {
    if (field == 4) mount.mount_point = unescape(word);
  }
  words >> mount.type >> mount.source;
  mount.source = unescape(mount.source);
  return mount;
}

/// A child process that asks a mount for its attributes. It is killed at the end of this object.
///
/// Only a process can be given up: while the daemon of the mount has read the request and does not answer,
/// not even SIGKILL ends the wait. The child then stays until that daemon ends, and holds no descriptor.
class Probe {
 public:
  explicit Probe(const std::string& path) : process_(::fork()) {
    if (process_ < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process");
    if (process_ == 0) ask(path.c_str());
    descriptor_.reset(static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)));
    if (!descriptor_) {
      const int error = errno;
      end();
      throw std::system_error(error, std::generic_category(), "pidfd_open");
    }
  }
  ~Probe() { end(); }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  /// Readable when the mount has answered.
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// Whether the answer is that nobody serves the mount.
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
    // Not from the kernel's attribute cache, which outlives the daemon.
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
  std::ifstream table("/proc/self/mountinfo");
  std::optional<MountLine> uppermost;
  for (std::string line; std::getline(table, line);) {
    MountLine mount = parse(line);
    if (mount.mount_point == path) uppermost = std::move(mount);
  }
  if (!uppermost || uppermost->type != mount_type) return std::nullopt;
  FramebufferMount found;
  const std::string_view source = uppermost->source;
  const size_t colon = source.find(':');
  if (colon != std::string_view::npos) {
    std::from_chars(source.data() + colon + 1, source.data() + source.size(), found.daemon);
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
  std::ifstream table("/proc/self/mountinfo");
  for (std::string line; std::getline(table, line);) {
    const MountLine mount = parse(line);
    if (mount.mount_point == path && mount.type == mount_type && mount.source == mount_source(daemon))
      return true;
  }
  return false;
}

int run_quietly(const char* const* arguments) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  // posix_spawnp does not change the strings; its interface has no const.
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, nullptr, const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int detach_mount(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return 0;
  const int error = errno;
  if (error != EPERM) return error;
  const char* const arguments[] = {"fusermount3", "-u", "-z", "-q", path.c_str(), nullptr};
  return run_quietly(arguments) == 0 ? 0 : EPERM;
}

}  // namespace cuse
