#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"

namespace cuse {

/// A mount of fbemud on a device path.
struct FramebufferMount {
  /// Process that made it, numbered in the daemon's pid namespace; 0 if the mount's source names none.
  pid_t daemon = 0;
};

/// Returns the uppermost mount on `path` (absolute, canonical) if fbemud made it. Reads the mount table only,
/// because an access to the mount may block.
[[nodiscard]] std::optional<FramebufferMount> find_framebuffer_mount(const std::string& path);

/// The state of the daemon behind a mount.
enum class MountState {
  serving,
  dead,   ///< the daemon was killed: every access fails
  silent  ///< the daemon is stopped or hangs: accesses block
};

/// Timeout of a probe; longer than a working daemon needs to answer on a busy machine.
inline constexpr std::chrono::milliseconds mount_timeout{3000};

/// Reads the attributes of the mount of `daemon` on `path`, in a child process, and waits at most `limit`.
/// For the start of a daemon: throws StopRequested if a signal ends the wait.
[[nodiscard]] MountState probe_mount(const std::string& path, pid_t daemon,
                                     std::chrono::milliseconds limit = mount_timeout);

/// Returns true if a mount of that daemon is on `path` (absolute, canonical), even if others cover it. Reads
/// the mount table only.
[[nodiscard]] bool is_mounted(const std::string& path, pid_t daemon);

/// The file-system type and source of the mounts of fbemud: /proc/self/mountinfo shows "fuse.fbemu" and
/// "fbemud:PID".
inline constexpr const char* mount_type = "fuse.fbemu";
inline constexpr const char* mount_subtype = "fbemu";
[[nodiscard]] std::string mount_source(pid_t daemon);

/// Detaches the mount on `path`, even while its files are open: as root with umount2(2), else with
/// fusermount3. Errors: those of umount2(2).
[[nodiscard]] base::Result<void> detach_mount(const std::string& path);

/// Runs a program without its output and waits for its end. Returns its exit status. Errors: those of
/// posix_spawnp(3) and waitpid(2); ECANCELED if a signal ends the program.
[[nodiscard]] base::Result<int> run_quietly(const char* const* arguments);

}  // namespace cuse
