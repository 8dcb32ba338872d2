#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "fbemu/frontend/client_vt.h"

namespace cuse {

/// The files that tell of processes and terminals.
struct ProcessFiles {
  std::string processes = "/proc";
  std::string terminal_prefix = "/dev/tty";
};

/// The virtual terminals of the process that opened the framebuffer: its controlling terminal, else (ssh, a
/// service) the one that was in front when it opened the framebuffer, and each terminal whose device the
/// process has opened since (X, SDL).
///
/// The process is known by its number and the time it started, not by a pidfd: it is made on the FUSE threads
/// and asked on the presenter's, and these have different tables of descriptors. Nor does a user with many
/// processes take the daemon's descriptors.
class ProcessVt final : public fbemu::ClientVt {
 public:
  /// So many descriptors of a process are looked at: terminals are opened early.
  static constexpr unsigned most_descriptors = 1024;

  /// `thread` is the id of any thread of the process, which must not end meanwhile, or 0 for a process in a
  /// pid namespace that cannot be seen.
  explicit ProcessVt(pid_t thread);
  /// For tests. `front` is the terminal in front; `files` must outlive the object.
  ProcessVt(pid_t thread, std::optional<unsigned> front, const ProcessFiles& files);

  [[nodiscard]] const fbemu::ProgramId& program() const override { return program_; }
  [[nodiscard]] bool has_opened(unsigned terminal, unsigned& budget) const override;

 private:
  [[nodiscard]] std::string folder() const;

  const ProcessFiles& files_;
  fbemu::ProgramId program_;
};

/// N where field 7 ("tty_nr", proc(5)) of a /proc/PID/stat is /dev/ttyN, a virtual terminal; nothing for
/// another terminal, for none, and for text that is no such line.
[[nodiscard]] std::optional<unsigned> controlling_terminal(const std::string& stat_line);

/// Field 22 ("starttime") of a /proc/PID/stat, in clock ticks since the boot; nothing for text that is no
/// such line. One number has two processes with the same time only if all numbers were used within a tick.
[[nodiscard]] std::optional<uint64_t> start_time(const std::string& stat_line);

/// The process of a thread, from its /proc/TID/status; 0 for text that has no "Tgid:".
[[nodiscard]] pid_t thread_group(const std::string& status);

}  // namespace cuse
