#pragma once

#include <string>

namespace drmclient {

/// Returns true if a framebuffer console of the kernel (fbcon) drives the virtual terminals. `folder` has the
/// kernel's list of console drivers: /sys/class/vtconsole.
[[nodiscard]] bool has_framebuffer_console(const std::string& folder);

}  // namespace drmclient
