#pragma once

#include <linux/fb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "fbemu/frontend/user_memory.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// What FBIOGET_VSCREENINFO says of `fb_state` on a picture of `size_mm` millimetres (0x0: unknown): the
/// fields of drm_fb_helper_fill_var(), and the real timing where that has zeros. The rotation is left at 0:
/// the state's is that of the display and the program's together.
[[nodiscard]] fb_var_screeninfo make_var(const FramebufferState& fb_state, drmclient::Size size_mm);

/// Fills the timing fields (pixclock in picoseconds, margins and sync lengths in pixels and lines, sync) from
/// `mode`, as a picture of `view` pixels has them that is shown with `rotation`: where the mode is larger the
/// margins are, so that the refresh rate comes out right.
void set_timing(fb_var_screeninfo& var, const drmclient::Mode& mode, drmclient::Size view, Rotation rotation);

/// The refresh rate that the timing fields of `var` describe, in millihertz; 0 where they describe none from
/// 1 to 1000 Hz.
[[nodiscard]] uint32_t refresh_millihertz(const fb_var_screeninfo& var);

/// What FBIOGET_FSCREENINFO says (drm_fb_helper_fill_fix(), with ywrap and every visual). `id` is cut to 15
/// characters.
[[nodiscard]] fb_fix_screeninfo make_fix(const std::string& id, const Layout& layout, uint64_t memory_bytes);

/// Writes `fix` to the program's `address` as its ABI lays it out. For 32-bit programs that is the kernel's
/// compat structure (do_fscreeninfo_to_user()), whose padding and last word the kernel leaves as they are.
/// Returns 0 or an errno as UserMemory does.
[[nodiscard]] int write_fix(const fb_fix_screeninfo& fix, Abi abi, UserMemory& memory, uint64_t address);

/// A struct fb_cmap of either ABI, with its pointers as numbers.
struct UserColorMap {
  uint32_t start = 0;
  uint32_t len = 0;
  uint64_t red = 0;
  uint64_t green = 0;
  uint64_t blue = 0;
  uint64_t transp = 0;
};

/// Reads a struct fb_cmap from the program's `address`. Returns 0 or an errno as UserMemory does.
[[nodiscard]] int read_color_map(Abi abi, UserMemory& memory, uint64_t address, UserColorMap& map);

}  // namespace fbemu
