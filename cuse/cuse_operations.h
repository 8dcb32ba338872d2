#pragma once

// The request side of CuseDevice: what the kernel sends, translated into calls of the framebuffer.

#include "cuse/libfuse.h"
// libfuse's header for CUSE needs the one above it.
#include <cuse_lowlevel.h>

namespace cuse {

/// The table for cuse_lowlevel_new(); its user data is the CuseDevice as SessionData.
[[nodiscard]] const cuse_lowlevel_ops& cuse_operations();

}  // namespace cuse
