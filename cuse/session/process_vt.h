#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "fbemu/frontend/client_vt.h"

namespace cuse {

/// The files that describe processes and VTs.
struct ProcessFiles {
  std::string processes = "/proc";
  std::string vt_prefix = "/dev/tty";
};

/// The virtual terminals (VTs) of a process that opened the framebuffer. Its home is its controlling VT;
/// without one (ssh, a service) it is the VT that was active at the open. Further VTs are those whose device
/// the process has open (X, SDL).
///
/// The process is identified by its number and start time, not by a pidfd. A pidfd would be in the table of
/// descriptors of the FUSE threads, but the presenter's thread, with another table, asks. Also, a user with
/// many processes would use up the daemon's descriptors.
class ProcessVt final : public fbemu::ClientVt {
 public:
  /// Maximum number of descriptors examined in a process; VTs are opened early.
  static constexpr unsigned most_descriptors = 1024;

  /// `thread` is the id of a thread of the process; the thread must not end during this call. It is 0 for a
  /// process in a pid namespace that is not visible.
  explicit ProcessVt(pid_t thread);
  /// For tests. `active_vt` is the number of the active VT; `files` must outlive this object.
  ProcessVt(pid_t thread, std::optional<unsigned> active_vt, const ProcessFiles& files);

  [[nodiscard]] const fbemu::ProgramId& program() const override { return program_; }
  [[nodiscard]] bool has_opened(unsigned vt, unsigned& budget) const override;

 private:
  [[nodiscard]] std::string folder() const;

  const ProcessFiles& files_;
  fbemu::ProgramId program_;
};

/// Returns N if field 7 ("tty_nr", proc(5)) of a /proc/PID/stat is /dev/ttyN, a VT. Returns nothing for
/// another terminal, for none, and for malformed text.
[[nodiscard]] std::optional<unsigned> controlling_vt(const std::string& stat_line);

/// Returns field 22 ("starttime") of a /proc/PID/stat, in clock ticks since the boot; nothing for malformed
/// text. Two processes have the same number and time only if all numbers were used within one tick.
[[nodiscard]] std::optional<uint64_t> start_time(const std::string& stat_line);

/// Returns the process of a thread from its /proc/TID/status; 0 for text without "Tgid:".
[[nodiscard]] pid_t thread_group(const std::string& status);

}  // namespace cuse
