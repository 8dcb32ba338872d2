#pragma once

#include <linux/fb.h>

#include <cstdint>

#include "base/result.h"
#include "drmclient/output.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// What the framebuffer was started with and programs cannot change.
struct Presentation {
  drmclient::Mode mode;                ///< of the output, where a program's picture has none of its own size
  Rotation rotation = Rotation::none;  ///< of the display: what programs ask for comes on top
  Scaling scaling = Scaling::fit;
  bool direct_color = false;  ///< colours of true-colour formats go through the colour map
};

/// What a wanted var is checked against.
struct VarLimits {
  const drmclient::Output& output;
  const Presentation& presentation;
  const FramebufferState& current;
  uint64_t memory_bytes;  ///< smem_len
};

struct CheckedVar {
  fb_var_screeninfo var;      ///< as the program gets it back
  FramebufferState fb_state;  ///< what it stands for; without a palette
};

/// Whether the view at these offsets lies inside the virtual screen (fb_pan_display()); with `wraps` lines
/// may reach beyond its end.
[[nodiscard]] bool offsets_fit(uint32_t xoffset, uint32_t yoffset, bool wraps,
                               const FramebufferState& fb_state);

/// Checks and completes the var of an FBIOPUT_VSCREENINFO, in the order of fb_set_var() and
/// drm_fb_helper_check_var(). Unlike there, every size, depth and layout of pixels that is accepted is real:
/// the output gets a mode of that size where it has one, else a smaller picture is shown on a larger mode;
/// and the virtual screen is as large as asked if the memory holds it (one smaller than the visible screen is
/// enlarged to it). Errors: EINVAL.
[[nodiscard]] base::Result<CheckedVar> check_var(const fb_var_screeninfo& wanted, const VarLimits& limits);

}  // namespace fbemu
