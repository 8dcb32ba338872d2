#pragma once

#include <functional>
#include <optional>

#include "cuse/session/libfuse.h"

namespace unit {

/// Functions of libfuse that this test program has in libfuse's place; without a hook they call libfuse's.
/// The hooks are set while no session runs, and dropped at the end of this object.
class LibfuseSeam {
 public:
  LibfuseSeam() = default;
  ~LibfuseSeam();
  LibfuseSeam(const LibfuseSeam&) = delete;
  LibfuseSeam& operator=(const LibfuseSeam&) = delete;

  /// Runs before fuse_session_receive_buf(), and returns what that shall return, or nothing.
  static std::function<std::optional<int>()> before_receive;
  /// Runs after fuse_req_interrupt_func(), before its caller goes on.
  static std::function<void()> after_interrupt_func;
};

}  // namespace unit
