#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "fbemu/program_terminal.h"

namespace cuse {

/// The virtual terminal of the process that opened the framebuffer: its controlling terminal, else (ssh, a
/// service) the one that was in front when it opened the framebuffer. A process that has opened another
/// terminal's device since (X, SDL) belongs to that one as well.
class ProcessTerminal final : public fbemu::ProgramTerminal {
 public:
  /// `process` may be a thread's id. `folder` and `front` (in front now) are for tests.
  explicit ProcessTerminal(pid_t process, const std::string& folder = "/proc");
  ProcessTerminal(pid_t process, const std::string& folder, std::optional<unsigned> front);

  [[nodiscard]] bool is(unsigned front) const override;

 private:
  std::string process_folder_;
  std::optional<unsigned> at_open_;
};

/// N where field 7 ("tty_nr", proc(5)) of a /proc/PID/stat is /dev/ttyN, a virtual terminal; nothing for
/// another terminal, for none, and for text that is no such line.
[[nodiscard]] std::optional<unsigned> controlling_terminal(const std::string& stat_line);

}  // namespace cuse
