#pragma once

#include <linux/fb.h>

#include <cstdint>

#include "base/result.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// Returns the format described by bits_per_pixel, grayscale, nonstd and the bit-fields of `wanted`. A
/// bits_per_pixel of 0 means that of `current`. Bit-fields that are all zero select the depth's default
/// format. So do bit-fields of another depth when the depth changes, because `fbset -depth` sends these. With
/// `direct_color`, true-colour formats use the colour map. Errors: EINVAL if no format matches.
[[nodiscard]] base::Result<ProgramFormat> choose_format(const fb_var_screeninfo& wanted,
                                                        const ProgramFormat& current, bool direct_color);

/// Fills bits_per_pixel, grayscale and the bit-fields of `var` from `format`.
void set_format(fb_var_screeninfo& var, const ProgramFormat& format);

/// Returns the value of fix.visual (FB_VISUAL_*).
[[nodiscard]] uint32_t fix_visual(const ProgramFormat& format);

}  // namespace fbemu
