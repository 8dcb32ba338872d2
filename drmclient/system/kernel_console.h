#pragma once

#include <string>

namespace drmclient {

/// Whether a console driver of the kernel's that draws on framebuffers (fbcon) has the virtual terminals.
/// `folder` is where the kernel lists its console drivers.
[[nodiscard]] bool has_framebuffer_console(const std::string& folder = "/sys/class/vtconsole");

}  // namespace drmclient
