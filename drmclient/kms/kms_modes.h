#pragma once

#include <xf86drmMode.h>

#include <vector>

#include "drmclient/mode.h"

namespace drmclient {

/// Converts a mode of the kernel. Returns nothing for a mode that Mode cannot represent (interlaced, doubled
/// lines, stereo), which a framebuffer does not need. Also returns nothing for an implausible one, as in
/// broken EDIDs: a visible part below 8x8 or larger than the total, or a rate outside 1..1000 Hz.
[[nodiscard]] std::optional<Mode> mode_from_kernel(const drmModeModeInfo& info);

/// Converts `mode` for the kernel. Truncates sides and totals beyond 16 bits, so check mode.size() against
/// the card's limits first.
[[nodiscard]] drmModeModeInfo mode_to_kernel(const Mode& mode);

/// Converts a connector's list and sorts it, best first, like the kernel's emulation
/// (drm_client_pick_crtcs()). A mode of the kernel's command line is first, then the preferred modes, then
/// the others in the kernel's order.
[[nodiscard]] std::vector<Mode> modes_from_kernel(const drmModeModeInfo* modes, size_t count);

}  // namespace drmclient
