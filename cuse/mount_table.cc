#include "cuse/mount_table.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

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
  // Not from the kernel's attribute cache, which outlives the daemon.
  struct statx status {};
  found.dead = ::statx(AT_FDCWD, path.c_str(), AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) != 0 &&
               (errno == ENOTCONN || errno == ECONNABORTED);
  return found;
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
