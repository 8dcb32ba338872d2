#pragma once

#include <linux/fb.h>

#include <cstdint>

#include "base/result.h"
#include "drmclient/output.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// The options of the framebuffer that programs cannot change.
struct Presentation {
  drmclient::Mode mode;                ///< the output's mode for pictures that have no mode of their size
  Rotation rotation = Rotation::none;  ///< of the display; a program's rotation is added to it
  Scaling scaling = Scaling::fit;
  bool direct_color = false;  ///< True if the colours of true-colour formats go through the colour map.
};

/// The limits against which a requested var is checked.
struct VarLimits {
  const drmclient::OutputInfo& output;
  const Presentation& presentation;
  const FramebufferState& current;
  uint64_t memory_bytes;  ///< smem_len
};

/// The result of check_var().
struct CheckedVar {
  fb_var_screeninfo var;      ///< the var returned to the program
  FramebufferState fb_state;  ///< the state that the var describes, without a palette
};

/// Returns true if the view at these offsets lies inside the virtual screen, as in fb_pan_display(). If
/// `wraps` is set, its lines may extend beyond the end.
[[nodiscard]] bool offsets_fit(uint32_t xoffset, uint32_t yoffset, bool wraps,
                               const FramebufferState& fb_state);

/// Checks and completes the var of an FBIOPUT_VSCREENINFO, in the order of fb_set_var() and
/// drm_fb_helper_check_var(). Unlike drm_fb_helper.c, it accepts only sizes, depths and pixel layouts that
/// take effect. The output gets a mode of the requested size; if it has none, the picture is shown on a
/// larger mode. The virtual screen has the requested size if the memory holds it, but is never smaller than
/// the visible screen. Errors: EINVAL.
[[nodiscard]] base::Result<CheckedVar> check_var(const fb_var_screeninfo& wanted, const VarLimits& limits);

}  // namespace fbemu
