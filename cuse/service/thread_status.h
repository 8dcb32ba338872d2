#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace cuse {

/// A part of the /proc/TID/status of a thread (proc(5)).
struct ThreadStatus {
  char state = '\0';  ///< 'R', 'S', 'D', 'T' (stopped), 't' (stopped by its tracer), 'Z' or 'X' (has ended)
  pid_t process = 0;  ///< its thread group
  pid_t parent = 0;   ///< parent of the process
  pid_t tracer = 0;   ///< 0 if no process traces it

  [[nodiscard]] bool has_ended() const { return state == 'Z' || state == 'X'; }
};

/// Returns the status of a thread; nothing if the thread does not exist. Allocates nothing and does not wait
/// for the thread.
[[nodiscard]] std::optional<ThreadStatus> read_thread_status(pid_t thread) noexcept;

/// Returns the name of a process for messages, with '?' for characters that are not printable; "unknown" if
/// the process does not exist.
[[nodiscard]] std::string process_name(pid_t process);

}  // namespace cuse
