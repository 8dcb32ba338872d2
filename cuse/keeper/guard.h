#pragma once

#include <sys/types.h>

#include <functional>

#include "base/unique_fd.h"

namespace cuse {

/// A child process that cleans up after this one where this one cannot: a mount over a device node outlives a
/// daemon that was killed, and then hides the node from everyone.
class Guard {
 public:
  /// Forks; the caller must not have started threads. `clean_up` runs in the child when this process has
  /// ended without dismiss(). Throws std::system_error.
  explicit Guard(const std::function<void()>& clean_up);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  /// All is cleaned up: ends the child and waits for it. Called again by the destructor.
  void dismiss();

 private:
  pid_t process_ = -1;
  base::UniqueFd alive_;  ///< the child sees the end of this pipe when we are gone
};

}  // namespace cuse
