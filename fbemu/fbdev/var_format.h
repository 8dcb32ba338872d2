#pragma once

#include <linux/fb.h>

#include <cstdint>

#include "base/result.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// The format that the bits_per_pixel, grayscale, nonstd and bit-fields of `wanted` stand for. No bits per
/// pixel: those of `current`. Bit-fields that are all zero, or left over where the depth changes (fbset
/// -depth sends such), mean "choose". With `direct_color` the colours of a true-colour format go through the
/// colour map. Errors: EINVAL for what no format has.
[[nodiscard]] base::Result<ProgramFormat> choose_format(const fb_var_screeninfo& wanted,
                                                        const ProgramFormat& current, bool direct_color);

/// Fills bits_per_pixel, grayscale and the bit-fields.
void set_format(fb_var_screeninfo& var, const ProgramFormat& format);

/// FB_VISUAL_* for fix.visual.
[[nodiscard]] uint32_t fix_visual(const ProgramFormat& format);

}  // namespace fbemu
