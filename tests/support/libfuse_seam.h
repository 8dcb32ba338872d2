#pragma once

#include <functional>
#include <optional>

#include "cuse/session/libfuse.h"

namespace unit {

/// Hooks in functions of libfuse that this test program overrides; without a hook they call libfuse's
/// function. Set a hook while no session runs. The destructor of this object removes the hooks.
class LibfuseSeam {
 public:
  LibfuseSeam() = default;
  ~LibfuseSeam();
  LibfuseSeam(const LibfuseSeam&) = delete;
  LibfuseSeam& operator=(const LibfuseSeam&) = delete;

  /// Runs before fuse_session_receive_buf(), and may return a value that replaces its result.
  static std::function<std::optional<int>()> before_receive;
  /// Runs after fuse_req_interrupt_func(), before it returns to its caller.
  static std::function<void()> after_interrupt_func;
};

}  // namespace unit
