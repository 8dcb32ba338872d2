#pragma once

#include <sys/types.h>

#include <functional>

#include "base/unique_fd.h"

namespace cuse {

/// A child process that cleans up after this process is killed. A mount over a device node outlives a killed
/// daemon and hides the node from all programs.
class Guard {
 public:
  /// Forks, so the caller must not have started threads. `clean_up` runs in the child if this process ends
  /// without dismiss(). Throws std::system_error.
  explicit Guard(const std::function<void()>& clean_up);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  /// Ends the child, which then does not clean up, and waits for it. The destructor calls it too.
  void dismiss();

 private:
  pid_t process_ = -1;
  base::UniqueFd alive_;  ///< the child reads the end of this pipe when this process ends
};

}  // namespace cuse
