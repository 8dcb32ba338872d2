#include "fbemu/var_check.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "fbemu/screeninfo.h"

namespace fbemu {
namespace {

using drmclient::failure;
using drmclient::Mode;
using drmclient::Result;

constexpr uint32_t smallest_side = 8;  // fb_set_var()
constexpr uint32_t only_depth = 32;

bool overflows(uint32_t a, uint32_t b) {
  return uint64_t{a} * b > std::numeric_limits<uint32_t>::max();
}

bool all_zero(const fb_var_screeninfo& var) {
  constexpr fb_bitfield zero{};
  for (const fb_bitfield* field : {&var.red, &var.green, &var.blue, &var.transp}) {
    if (std::memcmp(field, &zero, sizeof zero) != 0) return false;
  }
  return true;
}

bool same_fields(const fb_var_screeninfo& a, const fb_var_screeninfo& b) {
  const auto same = [](const fb_bitfield& one, const fb_bitfield& other) {
    return std::memcmp(&one, &other, sizeof one) == 0;
  };
  return same(a.red, b.red) && same(a.green, b.green) && same(a.blue, b.blue) && same(a.transp, b.transp);
}

Result<Mode> mode_for(const fb_var_screeninfo& wanted, const VarLimits& limits) {
  const drmclient::Size size{wanted.xres, wanted.yres};
  const Mode& current = limits.current_mode;
  // No timing, or the present one, as a program gets it from FBIOGET_VSCREENINFO: stay.
  fb_var_screeninfo now{};
  set_timing(now, current);
  if (size == current.size() && (wanted.pixclock == 0 || wanted.pixclock == now.pixclock)) return current;
  const uint32_t refresh = refresh_millihertz(wanted);
  return drmclient::choose_mode(
      limits.output, size, refresh == 0 || size != current.size() ? std::nullopt : std::optional(refresh));
}

}  // namespace

bool offsets_fit(uint32_t xoffset, uint32_t yoffset, const Scene& scene) {
  const drmclient::Size visible = scene.mode.size();
  const drmclient::Size& whole = scene.layout.virtual_size;
  return xoffset <= whole.width - visible.width && yoffset <= whole.height - visible.height;
}

Result<CheckedVar> check_var(const fb_var_screeninfo& wanted, const VarLimits& limits) {
  if (wanted.xres < smallest_side || wanted.yres < smallest_side) return failure(EINVAL);
  if (overflows(wanted.xres, wanted.yres) || overflows(wanted.xres_virtual, wanted.yres_virtual)) {
    return failure(EINVAL);
  }
  // 0 means "choose". A lower depth that is taken for granted while nothing changes misleads programs:
  // refused.
  if (wanted.bits_per_pixel != 0 && wanted.bits_per_pixel != only_depth) return failure(EINVAL);
  if (wanted.grayscale != 0 || wanted.nonstd != 0) return failure(EINVAL);

  const auto mode = mode_for(wanted, limits);
  if (!mode) return tl::make_unexpected(mode.error());

  CheckedVar checked{};
  Scene& scene = checked.scene;
  scene.mode = *mode;
  scene.layout.bits_per_pixel = only_depth;
  scene.layout.virtual_size = {std::max(wanted.xres_virtual, wanted.xres),
                               std::max(wanted.yres_virtual, wanted.yres)};
  const uint64_t pitch = uint64_t{scene.layout.virtual_size.width} * (only_depth / 8);
  if (pitch * scene.layout.virtual_size.height > limits.memory_bytes) return failure(EINVAL);
  scene.layout.pitch_bytes = static_cast<uint32_t>(pitch);
  if (!offsets_fit(wanted.xoffset, wanted.yoffset, scene)) return failure(EINVAL);
  scene.offset = {wanted.xoffset, wanted.yoffset};

  checked.var = make_var(scene, limits.output.size_mm);
  if (!all_zero(wanted) && !same_fields(wanted, checked.var)) return failure(EINVAL);
  checked.var.activate = wanted.activate;
  return checked;
}

}  // namespace fbemu
