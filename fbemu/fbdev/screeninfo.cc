#include "fbemu/fbdev/screeninfo.h"
#include "fbemu/fbdev/var_format.h"

#include <cmath>
#include <cstring>
#include <utility>

namespace fbemu {
namespace {

using base::Result;

static_assert(sizeof(fb_var_screeninfo) == 160, "the same for every ABI");
static_assert(sizeof(fb_fix_screeninfo) == 80, "this code is built for 64 bits");
static_assert(sizeof(fb_cmap) == 40, "this code is built for 64 bits");

/// The layout of struct fb_fix_screeninfo32 in drivers/video/fbdev/core/fb_chrdev.c.
struct FixScreeninfo32 {
  std::array<char, 16> id;
  uint32_t smem_start;
  uint32_t smem_len;
  uint32_t type;
  uint32_t type_aux;
  uint32_t visual;
  uint16_t xpanstep;
  uint16_t ypanstep;
  uint16_t ywrapstep;
  uint16_t padding;
  uint32_t line_length;
  uint32_t mmio_start;
  uint32_t mmio_len;
  uint32_t accel;
  std::array<uint16_t, 3> reserved;
  uint16_t end_padding;
};
static_assert(sizeof(FixScreeninfo32) == 68);

/// The layout of struct fb_cmap32 in fb_chrdev.c.
struct ColorMap32 {
  uint32_t start;
  uint32_t len;
  uint32_t red;
  uint32_t green;
  uint32_t blue;
  uint32_t transp;
};
static_assert(sizeof(ColorMap32) == 24);

/// Writes bytes `begin` to `end` of `fix32` to the same offset of the program's structure.
Result<void> write_part(const FixScreeninfo32& fix32, size_t begin, size_t end, UserMemory& memory,
                        uint64_t address) {
  return memory.write(address + begin, std::as_bytes(std::span(&fix32, 1)).subspan(begin, end - begin));
}

Result<void> write_fix32(const fb_fix_screeninfo& fix, UserMemory& memory, uint64_t address) {
  FixScreeninfo32 fix32{};
  std::memcpy(fix32.id.data(), fix.id, fix32.id.size());
  fix32.smem_start = static_cast<uint32_t>(fix.smem_start);
  fix32.smem_len = fix.smem_len;
  fix32.type = fix.type;
  fix32.type_aux = fix.type_aux;
  fix32.visual = fix.visual;
  fix32.xpanstep = fix.xpanstep;
  fix32.ypanstep = fix.ypanstep;
  fix32.ywrapstep = fix.ywrapstep;
  fix32.line_length = fix.line_length;
  fix32.mmio_start = static_cast<uint32_t>(fix.mmio_start);
  fix32.mmio_len = fix.mmio_len;
  fix32.accel = fix.accel;

  constexpr size_t padding_begin = offsetof(FixScreeninfo32, padding);
  constexpr size_t padding_end = offsetof(FixScreeninfo32, line_length);
  constexpr size_t written_end = offsetof(FixScreeninfo32, reserved) + 4;
  BASE_TRY(write_part(fix32, 0, padding_begin, memory, address));
  return write_part(fix32, padding_end, written_end, memory, address);
}

/// The horizontal or vertical timing of a mode, in pixels or lines.
struct Direction {
  uint32_t display;
  uint32_t sync_start;
  uint32_t sync_end;
  uint32_t total;
  /// Returns the size of the border around a view of `view` pixels; 0 if the view is larger than the mode.
  [[nodiscard]] uint32_t spare(uint32_t view) const { return view < display ? display - view : 0; }
};

uint32_t picoseconds_per_pixel(uint32_t clock_khz) {
  constexpr uint32_t picoseconds_times_khz = 1'000'000'000;
  return clock_khz == 0 ? 0 : (picoseconds_times_khz + clock_khz / 2) / clock_khz;
}

}  // namespace

void set_timing(fb_var_screeninfo& var, const drmclient::Mode& mode, drmclient::Size view,
                Rotation rotation) {
  Direction across{mode.hdisplay, mode.hsync_start, mode.hsync_end, mode.htotal};
  Direction down{mode.vdisplay, mode.vsync_start, mode.vsync_end, mode.vtotal};
  if (swaps_sides(rotation)) std::swap(across, down);
  var.pixclock = picoseconds_per_pixel(mode.clock_khz);
  const uint32_t beside = across.spare(view.width);
  var.left_margin = across.total - across.sync_end + beside / 2;
  var.right_margin = across.sync_start - across.display + beside - beside / 2;
  var.hsync_len = across.sync_end - across.sync_start;
  const uint32_t above = down.spare(view.height);
  var.upper_margin = down.total - down.sync_end + above / 2;
  var.lower_margin = down.sync_start - down.display + above - above / 2;
  var.vsync_len = down.sync_end - down.sync_start;
  var.sync =
      (mode.hsync_positive ? FB_SYNC_HOR_HIGH_ACT : 0U) | (mode.vsync_positive ? FB_SYNC_VERT_HIGH_ACT : 0U);
}

fb_var_screeninfo make_var(const FramebufferState& fb_state, drmclient::Size size_mm) {
  fb_var_screeninfo var{};
  var.xres = fb_state.size.width;
  var.yres = fb_state.size.height;
  var.xres_virtual = fb_state.layout.virtual_size.width;
  var.yres_virtual = fb_state.layout.virtual_size.height;
  var.xoffset = fb_state.offset.x;
  var.yoffset = fb_state.offset.y;
  set_format(var, fb_state.layout.format);
  const drmclient::Size seen = turned(size_mm, fb_state.rotation);
  var.height = seen.height;
  var.width = seen.width;
  set_timing(var, fb_state.mode, fb_state.size, fb_state.rotation);
  var.vmode = FB_VMODE_NONINTERLACED | (fb_state.wraps ? static_cast<uint32_t>(FB_VMODE_YWRAP) : 0U);
  return var;
}

uint32_t refresh_millihertz(const fb_var_screeninfo& var) {
  const double pixels = (double{1} * var.left_margin + var.xres + var.right_margin + var.hsync_len) *
                        (double{1} * var.upper_margin + var.yres + var.lower_margin + var.vsync_len);
  const double picoseconds = pixels * var.pixclock;
  if (picoseconds <= 0) return 0;
  const double millihertz = 1e15 / picoseconds;
  return millihertz >= 1'000 && millihertz <= 1'000'000 ? static_cast<uint32_t>(std::lround(millihertz)) : 0;
}

fb_fix_screeninfo make_fix(const std::string& id, const Layout& layout, uint64_t memory_bytes) {
  fb_fix_screeninfo fix{};
  id.copy(fix.id, sizeof fix.id - 1);
  // Hidden, as in drm_fb_helper.c, because there is no physical address. Programs compute smem_start % page
  // size, which stays 0.
  fix.smem_start = 0;
  fix.smem_len = static_cast<uint32_t>(memory_bytes);
  fix.type = FB_TYPE_PACKED_PIXELS;
  fix.visual = fix_visual(layout.format);
  fix.xpanstep = 1;
  fix.ypanstep = 1;
  fix.ywrapstep = 1;
  fix.line_length = layout.pitch_bytes;
  fix.accel = FB_ACCEL_NONE;
  return fix;
}

Result<void> write_fix(const fb_fix_screeninfo& fix, Abi abi, UserMemory& memory, uint64_t address) {
  if (abi == Abi::ilp32) return write_fix32(fix, memory, address);
  return copy_to_user(memory, address, fix);
}

Result<UserColorMap> read_color_map(Abi abi, UserMemory& memory, uint64_t address) {
  if (abi == Abi::ilp32) {
    const auto map32 = BASE_TRY(copy_from_user<ColorMap32>(memory, address));
    return UserColorMap{map32.start, map32.len, map32.red, map32.green, map32.blue, map32.transp};
  }
  std::array<std::byte, sizeof(fb_cmap)> bytes{};
  BASE_TRY(memory.read(address, bytes));
  const auto pointer_at = [&](size_t offset) {
    uint64_t pointer = 0;
    std::memcpy(&pointer, bytes.data() + offset, sizeof pointer);
    return pointer;
  };
  UserColorMap map;
  std::memcpy(&map.start, bytes.data() + offsetof(fb_cmap, start), sizeof map.start);
  std::memcpy(&map.len, bytes.data() + offsetof(fb_cmap, len), sizeof map.len);
  map.red = pointer_at(offsetof(fb_cmap, red));
  map.green = pointer_at(offsetof(fb_cmap, green));
  map.blue = pointer_at(offsetof(fb_cmap, blue));
  map.transp = pointer_at(offsetof(fb_cmap, transp));
  return map;
}

}  // namespace fbemu
