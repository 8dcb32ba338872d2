#pragma once

#include <linux/fb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "fbemu/frontend/user_memory.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// Makes the var for FBIOGET_VSCREENINFO from `fb_state` and the display's size in millimetres (0x0:
/// unknown). It has the fields of drm_fb_helper_fill_var(), but real timing instead of zeros. `rotate` is 0,
/// because the state's rotation also includes the display's.
[[nodiscard]] fb_var_screeninfo make_var(const FramebufferState& fb_state, drmclient::Size size_mm);

/// Fills the timing fields of `var` from `mode`, for a picture of `view` pixels shown with `rotation`:
/// pixclock in picoseconds, margins and sync lengths in pixels and lines, and sync. If the mode is larger
/// than the picture, the margins include the border, so that the timing gives the mode's refresh rate.
void set_timing(fb_var_screeninfo& var, const drmclient::Mode& mode, drmclient::Size view, Rotation rotation);

/// Returns the refresh rate of the timing fields of `var` in millihertz, or 0 if it is not from 1 to 1000 Hz.
[[nodiscard]] uint32_t refresh_millihertz(const fb_var_screeninfo& var);

/// Makes the fix for FBIOGET_FSCREENINFO as drm_fb_helper_fill_fix() does, plus ywrap and all visuals. `id`
/// is truncated to 15 characters.
[[nodiscard]] fb_fix_screeninfo make_fix(const std::string& id, const Layout& layout, uint64_t memory_bytes);

/// Writes `fix` to the program's `address` in the layout of `abi`. 32-bit programs get the compat structure
/// of do_fscreeninfo_to_user(), whose padding and last word are not written, as in the kernel. Errors: those
/// of UserMemory::write().
[[nodiscard]] base::Result<void> write_fix(const fb_fix_screeninfo& fix, Abi abi, UserMemory& memory,
                                           uint64_t address);

/// The contents of a struct fb_cmap of either ABI, with pointers as integers.
struct UserColorMap {
  uint32_t start = 0;
  uint32_t len = 0;
  uint64_t red = 0;
  uint64_t green = 0;
  uint64_t blue = 0;
  uint64_t transp = 0;
};

/// Reads a struct fb_cmap from the program's `address`. Errors: those of UserMemory::read().
[[nodiscard]] base::Result<UserColorMap> read_color_map(Abi abi, UserMemory& memory, uint64_t address);

}  // namespace fbemu
