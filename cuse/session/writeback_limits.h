#pragma once

#include <string>

namespace cuse {

/// Lifts the kernel's writeback limits for the mount at `path`. A FUSE mount starts with 1 % of the dirty
/// threshold as a strict limit (fuse_bdi_init() in fs/fuse/inode.c). On a small machine that is less than a
/// frame, and a program that draws more sleeps up to 200 ms at a time. Requires root; without it the limits
/// stay, with a line in the debug log.
void lift_writeback_limits(const std::string& path);

}  // namespace cuse
