#pragma once

#include <linux/fb.h>

#include <cstdint>

#include "drmclient/output.h"
#include "drmclient/result.h"
#include "fbemu/scene.h"

namespace fbemu {

/// What a wanted var is checked against.
struct VarLimits {
  const drmclient::Output& output;
  const drmclient::Mode& current_mode;
  uint64_t memory_bytes;  ///< smem_len
};

struct CheckedVar {
  fb_var_screeninfo var;  ///< as the program gets it back
  Scene scene;            ///< what it stands for
};

/// Whether var.xres x var.yres pixels at the offsets lie inside the virtual screen.
[[nodiscard]] bool offsets_fit(uint32_t xoffset, uint32_t yoffset, const Scene& scene);

/// Checks and completes the var of an FBIOPUT_VSCREENINFO, in the order of fb_set_var() and
/// drm_fb_helper_check_var(). Unlike there, other sizes than the present one are real (where the output has
/// such a mode), and the virtual screen is as large as asked if the memory holds it; one smaller than the
/// visible screen is enlarged to it. Errors: EINVAL.
[[nodiscard]] drmclient::Result<CheckedVar> check_var(const fb_var_screeninfo& wanted,
                                                      const VarLimits& limits);

}  // namespace fbemu
