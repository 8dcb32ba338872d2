#pragma once

#include <xf86drmMode.h>

#include <vector>

#include "drmclient/mode.h"

namespace drmclient {

/// A timing of the kernel's in our terms; nothing for one that Mode cannot say (interlaced, doubled lines,
/// stereo): such are of no use to a framebuffer.
[[nodiscard]] std::optional<Mode> mode_from_kernel(const drmModeModeInfo& info);

/// The other way. Sides and totals beyond 16 bits are cut, so check mode.size() against the card's limits
/// first.
[[nodiscard]] drmModeModeInfo mode_to_kernel(const Mode& mode);

/// A connector's list, best first, in the order of the kernel's emulation (drm_client_pick_crtcs()): a mode
/// from the kernel's command line, the preferred ones, the rest as the kernel sorted them.
[[nodiscard]] std::vector<Mode> modes_from_kernel(const drmModeModeInfo* modes, size_t count);

}  // namespace drmclient
