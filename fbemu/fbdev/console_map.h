#pragma once

#include <cstdint>

#include "base/result.h"
#include "fbemu/frontend/user_memory.h"

namespace fbemu {

/// Answers FBIOGET_CON2FBMAP: every console of the kernel is reported to be on framebuffer `number`. Errors:
/// EFAULT; EINVAL for a console that does not exist.
[[nodiscard]] base::Result<void> get_console_map(uint32_t number, UserMemory& memory, uint64_t address);

/// Answers FBIOPUT_CON2FBMAP. fbcon cannot be moved from user space, so only framebuffer `number` is
/// accepted, and nothing changes. Errors: EFAULT; EINVAL for another console or framebuffer.
[[nodiscard]] base::Result<void> put_console_map(uint32_t number, UserMemory& memory, uint64_t address);

}  // namespace fbemu
