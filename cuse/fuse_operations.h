#pragma once

// The request side of FuseServer: what the kernel sends, translated into calls of the framebuffer.

#include "cuse/libfuse.h"

namespace cuse {

/// The table for fuse_session_new(); its user data is the FuseServer.
[[nodiscard]] const fuse_lowlevel_ops& fuse_operations();

}  // namespace cuse
