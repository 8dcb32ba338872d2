#pragma once

#include <xf86drmMode.h>

#include <vector>

#include "drmclient/mode.h"

namespace drmclient {

/// A timing of the kernel's in our terms; nothing for one that Mode cannot say (interlaced, doubled lines,
/// stereo), which is of no use to a framebuffer, and for one that cannot be meant: a visible part below 8x8
/// or larger than the whole, or a rate outside 1..1000 Hz. EDIDs hold all sorts of things.
[[nodiscard]] std::optional<Mode> mode_from_kernel(const drmModeModeInfo& info);

/// The other way. Sides and totals beyond 16 bits are cut, so check mode.size() against the card's limits
/// first.
[[nodiscard]] drmModeModeInfo mode_to_kernel(const Mode& mode);

/// A connector's list, best first, in the order of the kernel's emulation (drm_client_pick_crtcs()): a mode
/// from the kernel's command line, the preferred ones, the rest as the kernel sorted them.
[[nodiscard]] std::vector<Mode> modes_from_kernel(const drmModeModeInfo* modes, size_t count);

}  // namespace drmclient
