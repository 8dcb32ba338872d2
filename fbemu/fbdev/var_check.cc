#include "fbemu/fbdev/var_check.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "fbemu/fbdev/screeninfo.h"
#include "fbemu/fbdev/var_format.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {
namespace {

using base::failure;
using base::Result;
using drmclient::Mode;
using drmclient::OutputInfo;
using drmclient::Size;

bool overflows(uint32_t a, uint32_t b) {
  return uint64_t{a} * b > std::numeric_limits<uint32_t>::max();
}

bool holds(const Mode& mode, Size size) {
  return mode.hdisplay >= size.width && mode.vdisplay >= size.height;
}

/// Returns a mode of exactly `size`. Computes a timing only if no monitor could reject it.
Result<Mode> mode_of_size(const OutputInfo& output, Size size, std::optional<uint32_t> refresh_millihertz) {
  if (output.takes_any_timing) return drmclient::choose_mode(output, size, refresh_millihertz);
  return drmclient::choose_listed_mode(output.modes, size, refresh_millihertz);
}

/// Returns a mode that contains `size`: the initial mode, or else the smallest one; null if there is none.
const Mode* mode_around(const OutputInfo& output, const Mode& at_start, Size size) {
  if (holds(at_start, size)) return &at_start;
  const Mode* best = nullptr;
  for (const Mode& mode : output.modes) {
    if (holds(mode, size) && (best == nullptr || mode.size().area() < best->size().area())) best = &mode;
  }
  return best;
}

Result<Mode> mode_for(const fb_var_screeninfo& wanted, Rotation by_program, const VarLimits& limits) {
  const Rotation rotation = limits.presentation.rotation + by_program;
  const Size view{wanted.xres, wanted.yres};
  const Size size = turned(view, rotation);
  const Mode& current = limits.current.mode;
  // Without a timing, or with that of FBIOGET_VSCREENINFO, the current mode stays.
  fb_var_screeninfo now{};
  set_timing(now, current, view, rotation);
  const bool same_clock = wanted.pixclock == 0 || wanted.pixclock == now.pixclock;
  if (size == current.size() && same_clock) return current;
  const uint32_t refresh = refresh_millihertz(wanted);
  // The current clock with another size is a leftover of FBIOGET_VSCREENINFO.
  const bool has_wish = refresh != 0 && !same_clock;
  auto exact = mode_of_size(limits.output, size, has_wish ? std::optional(refresh) : std::nullopt);
  if (exact) return exact;
  if (const Mode* around = mode_around(limits.output, limits.presentation.mode, size)) return *around;
  // If a program requests a rotation without swapping width and height, the picture is scaled down.
  const Size upright = turned(view, limits.presentation.rotation);
  const bool turned_by_program = swaps_sides(by_program) && holds(limits.presentation.mode, upright);
  if (turned_by_program) return limits.presentation.mode;
  return failure(EINVAL);
}

}  // namespace

bool offsets_fit(uint32_t xoffset, uint32_t yoffset, bool wraps, const FramebufferState& fb_state) {
  const Size& whole = fb_state.layout.virtual_size;
  const uint32_t lines = wraps ? 0 : fb_state.size.height;
  return xoffset <= whole.width - fb_state.size.width && yoffset <= whole.height - lines;
}

Result<CheckedVar> check_var(const fb_var_screeninfo& wanted, const VarLimits& limits) {
  if (wanted.xres < drmclient::smallest_side || wanted.yres < drmclient::smallest_side)
    return failure(EINVAL);
  if (overflows(wanted.xres, wanted.yres) || overflows(wanted.xres_virtual, wanted.yres_virtual)) {
    return failure(EINVAL);
  }
  const auto format = choose_format(wanted, limits.current.layout.format, limits.presentation.direct_color);
  if (!format) return tl::make_unexpected(format.error());

  // An invalid rotation is ignored, because drm_fb_helper.c ignores this field and programs leave garbage in
  // it.
  const bool can_turn = wanted.rotate <= static_cast<uint32_t>(Rotation::counterclockwise);
  const Rotation by_program = can_turn ? static_cast<Rotation>(wanted.rotate) : Rotation::none;
  const auto mode = mode_for(wanted, by_program, limits);
  if (!mode) return tl::make_unexpected(mode.error());

  CheckedVar checked{};
  FramebufferState& fb_state = checked.fb_state;
  fb_state.mode = *mode;
  fb_state.rotation = limits.presentation.rotation + by_program;
  fb_state.scaling = limits.presentation.scaling;
  fb_state.size = {wanted.xres, wanted.yres};
  fb_state.layout.format = *format;
  fb_state.layout.virtual_size = {std::max(wanted.xres_virtual, wanted.xres),
                                  std::max(wanted.yres_virtual, wanted.yres)};
  const uint64_t pitch = format->line_bytes(fb_state.layout.virtual_size.width);
  if (pitch > limits.memory_bytes || pitch * fb_state.layout.virtual_size.height > limits.memory_bytes) {
    return failure(EINVAL);
  }
  fb_state.layout.pitch_bytes = static_cast<uint32_t>(pitch);
  fb_state.wraps = (wanted.vmode & FB_VMODE_YWRAP) != 0;
  if (!offsets_fit(wanted.xoffset, wanted.yoffset, fb_state.wraps, fb_state)) return failure(EINVAL);
  fb_state.offset = {wanted.xoffset, wanted.yoffset};

  checked.var = make_var(fb_state, limits.output.size_mm);
  checked.var.rotate = static_cast<uint32_t>(by_program);
  checked.var.activate = wanted.activate;
  return checked;
}

}  // namespace fbemu
