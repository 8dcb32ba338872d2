#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

namespace cuse {

/// A mount of fbemud's on a device path.
struct FramebufferMount {
  pid_t daemon = 0;  ///< that made it, as seen in the daemon's pid namespace
};

/// Returns the uppermost mount on `path` (absolute, canonical) if it is one of fbemud's. Asks the mount table
/// only, never the mount, which may block.
[[nodiscard]] std::optional<FramebufferMount> find_framebuffer_mount(const std::string& path);

enum class MountState {
  serving,
  dead,   ///< its daemon was killed: every access fails
  silent  ///< its daemon is stopped or hangs: accesses block
};

/// Longer than a daemon that works needs to answer on a busy machine.
inline constexpr std::chrono::milliseconds mount_timeout{3000};

/// Asks the mount of `daemon` on `path` for its attributes, in a child process, and waits at most for
/// `limit`. For the start of a daemon: throws StopRequested if a signal ends the wait.
[[nodiscard]] MountState probe_mount(const std::string& path, pid_t daemon,
                                     std::chrono::milliseconds limit = mount_timeout);

/// Whether the mount of that daemon is on `path` (absolute, canonical), covered by others or not. Asks the
/// mount table only, never the mount.
[[nodiscard]] bool is_mounted(const std::string& path, pid_t daemon);

/// The file-system type and source of our mounts: /proc/self/mountinfo shows "fuse.fbemu" and "fbemud:PID".
inline constexpr const char* mount_type = "fuse.fbemu";
inline constexpr const char* mount_subtype = "fbemu";
[[nodiscard]] std::string mount_source(pid_t daemon);

/// Takes the mount from `path`, even while files on it are open. As root by umount2(2), else with
/// fusermount3. Returns 0 or a positive errno.
int detach_mount(const std::string& path);

/// Runs a program with its output thrown away, and waits. Returns its exit status, or -1 where it cannot be
/// run.
int run_quietly(const char* const* arguments);

}  // namespace cuse
