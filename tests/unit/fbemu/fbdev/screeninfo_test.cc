#include "fbemu/fbdev/screeninfo.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "tests/support/error_of.h"
#include "tests/support/fake_user_memory.h"

using fbemu::Abi;
using fbemu::FramebufferState;
using fbemu::make_fix;
using fbemu::make_var;
using fbemu::read_color_map;
using fbemu::refresh_millihertz;
using unit::error_of;
using unit::FakeUserMemory;

namespace {

constexpr uint64_t at = FakeUserMemory::base + 256;

/// Returns the DMT mode 1024x768 at 60 Hz.
drmclient::Mode xga() {
  drmclient::Mode mode;
  mode.name = "1024x768";
  mode.clock_khz = 65'000;
  mode.hdisplay = 1024;
  mode.hsync_start = 1048;
  mode.hsync_end = 1184;
  mode.htotal = 1344;
  mode.vdisplay = 768;
  mode.vsync_start = 771;
  mode.vsync_end = 777;
  mode.vtotal = 806;
  return mode;
}

FramebufferState xga_fb_state() {
  FramebufferState fb_state;
  fb_state.mode = xga();
  fb_state.size = {1024, 768};
  fb_state.layout.pitch_bytes = 8192;
  fb_state.layout.virtual_size = {2048, 1536};
  fb_state.offset = {16, 700};
  return fb_state;
}

fb_fix_screeninfo distinct_fix() {
  fb_fix_screeninfo fix{};
  std::memcpy(fix.id, "0123456789abcde", 16);
  fix.smem_start = 0x1111'1111'2222'2222;
  fix.smem_len = 0x3333'3333;
  fix.type = 0x4444'4444;
  fix.type_aux = 0x5555'5555;
  fix.visual = 0x6666'6666;
  fix.xpanstep = 0x7777;
  fix.ypanstep = 0x8888;
  fix.ywrapstep = 0x9999;
  fix.line_length = 0xaaaa'aaaa;
  fix.mmio_start = 0xbbbb'bbbb'cccc'cccc;
  fix.mmio_len = 0xdddd'dddd;
  fix.accel = 0xefef'efef;
  fix.capabilities = 0x1234;
  return fix;
}

fb_var_screeninfo var_with_timing() {
  fb_var_screeninfo var{};
  var.xres = 1024;
  var.yres = 768;
  fbemu::set_timing(var, xga(), {1024, 768}, fbemu::Rotation::none);
  return var;
}

}  // namespace

TEST(MakeVar, HasGeometryOfState) {
  const auto var = make_var(xga_fb_state(), {300, 200});
  EXPECT_EQ(var.xres, 1024U);
  EXPECT_EQ(var.yres, 768U);
  EXPECT_EQ(var.xres_virtual, 2048U);
  EXPECT_EQ(var.yres_virtual, 1536U);
  EXPECT_EQ(var.xoffset, 16U);
  EXPECT_EQ(var.yoffset, 700U);
  EXPECT_EQ(var.width, 300U);
  EXPECT_EQ(var.height, 200U);
}

TEST(MakeVar, HasBitFieldsOfXrgb8888) {
  const auto var = make_var(xga_fb_state(), {});
  EXPECT_EQ(var.bits_per_pixel, 32U);
  EXPECT_EQ(var.red.offset, 16U);
  EXPECT_EQ(var.red.length, 8U);
  EXPECT_EQ(var.green.offset, 8U);
  EXPECT_EQ(var.green.length, 8U);
  EXPECT_EQ(var.blue.offset, 0U);
  EXPECT_EQ(var.blue.length, 8U);
  EXPECT_EQ(var.transp.offset, 0U);
  EXPECT_EQ(var.transp.length, 0U);
  EXPECT_EQ(var.red.msb_right | var.green.msb_right | var.blue.msb_right | var.transp.msb_right, 0U);
}

TEST(MakeVar, UnusedFieldsAreZero) {
  const auto var = make_var(xga_fb_state(), {});
  EXPECT_EQ(var.grayscale, 0U);
  EXPECT_EQ(var.nonstd, 0U);
  EXPECT_EQ(var.activate, 0U);
  EXPECT_EQ(var.accel_flags, 0U);
  EXPECT_EQ(var.rotate, 0U);
  EXPECT_EQ(var.colorspace, 0U);
  for (const uint32_t reserved : var.reserved) EXPECT_EQ(reserved, 0U);
}

TEST(MakeVar, HasTimingOfMode) {
  const auto var = make_var(xga_fb_state(), {});
  EXPECT_EQ(var.pixclock, 15'385U);  // the value for 65 MHz in fbset's fb.modes
  EXPECT_EQ(var.left_margin, 160U);
  EXPECT_EQ(var.right_margin, 24U);
  EXPECT_EQ(var.hsync_len, 136U);
  EXPECT_EQ(var.upper_margin, 29U);
  EXPECT_EQ(var.lower_margin, 3U);
  EXPECT_EQ(var.vsync_len, 6U);
  EXPECT_EQ(var.sync, 0U);
  EXPECT_EQ(var.vmode, static_cast<uint32_t>(FB_VMODE_NONINTERLACED));
}

TEST(SetTiming, PolaritiesSetSyncBits) {
  fb_var_screeninfo var{};
  drmclient::Mode mode = xga();
  mode.hsync_positive = true;
  fbemu::set_timing(var, mode, mode.size(), fbemu::Rotation::none);
  EXPECT_EQ(var.sync, static_cast<uint32_t>(FB_SYNC_HOR_HIGH_ACT));
  mode.vsync_positive = true;
  fbemu::set_timing(var, mode, mode.size(), fbemu::Rotation::none);
  EXPECT_EQ(var.sync, static_cast<uint32_t>(FB_SYNC_HOR_HIGH_ACT | FB_SYNC_VERT_HIGH_ACT));
}

TEST(SetTiming, ModeWithoutClockGivesPixclockZero) {
  fb_var_screeninfo var{};
  var.pixclock = 5;
  drmclient::Mode mode = xga();
  mode.clock_khz = 0;
  fbemu::set_timing(var, mode, mode.size(), fbemu::Rotation::none);
  EXPECT_EQ(var.pixclock, 0U);
}

TEST(Refresh, TimingGivesItsRate) {
  EXPECT_NEAR(refresh_millihertz(var_with_timing()), 60'004, 2);
}

TEST(Refresh, ZeroPixclockGivesZero) {
  auto var = var_with_timing();
  var.pixclock = 0;
  EXPECT_EQ(refresh_millihertz(var), 0U);
}

TEST(Refresh, RateOutside1To1000HertzGivesZero) {
  auto var = var_with_timing();
  var.pixclock = 4'000'000'000;  // less than one frame a second
  EXPECT_EQ(refresh_millihertz(var), 0U);
  var.pixclock = 1;
  EXPECT_EQ(refresh_millihertz(var), 0U);
}

TEST(Refresh, LargeFieldsGiveZero) {
  auto var = var_with_timing();
  constexpr uint32_t most = std::numeric_limits<uint32_t>::max();
  var.left_margin = var.right_margin = var.hsync_len = most;
  EXPECT_EQ(refresh_millihertz(var), 0U);
  var.xres = var.yres = var.upper_margin = var.lower_margin = var.vsync_len = var.pixclock = most;
  EXPECT_EQ(refresh_millihertz(var), 0U);
}

TEST(Refresh, SumsBeyond32BitsDoNotWrap) {
  auto var = var_with_timing();
  const uint32_t right = refresh_millihertz(var);
  ASSERT_NE(right, 0U);
  // In 32-bit sums, the two additions of 2^31 would cancel out.
  var.left_margin += 0x8000'0000;
  var.right_margin += 0x8000'0000;
  EXPECT_EQ(refresh_millihertz(var), 0U);
}

TEST(Refresh, EmptyVarGivesZero) {
  fb_var_screeninfo var{};
  EXPECT_EQ(refresh_millihertz(var), 0U);
  var.pixclock = 10'000;
  EXPECT_EQ(refresh_millihertz(var), 0U);
}

TEST(MakeFix, HasFieldsOfDrmEmulation) {
  const auto fix = make_fix("fbemu headless", xga_fb_state().layout, 12'582'912);
  EXPECT_STREQ(fix.id, "fbemu headless");
  EXPECT_EQ(fix.smem_start, 0U);
  EXPECT_EQ(fix.smem_len, 12'582'912U);
  EXPECT_EQ(fix.type, static_cast<uint32_t>(FB_TYPE_PACKED_PIXELS));
  EXPECT_EQ(fix.type_aux, 0U);
  EXPECT_EQ(fix.visual, static_cast<uint32_t>(FB_VISUAL_TRUECOLOR));
  EXPECT_EQ(fix.xpanstep, 1U);
  EXPECT_EQ(fix.ypanstep, 1U);
  EXPECT_EQ(fix.ywrapstep, 1U);
  EXPECT_EQ(fix.line_length, 8192U);
  EXPECT_EQ(fix.mmio_start, 0U);
  EXPECT_EQ(fix.mmio_len, 0U);
  EXPECT_EQ(fix.accel, 0U);
  EXPECT_EQ(fix.capabilities, 0U);
}

TEST(MakeFix, IdIsTruncatedTo15Characters) {
  const auto fix = make_fix("sixteen letters!", {}, 0);
  EXPECT_EQ(std::string(fix.id, 16), std::string("sixteen letters\0", 16));
}

TEST(WriteFix, Lp64WritesNativeStructure) {
  FakeUserMemory memory;
  const auto fix = distinct_fix();
  ASSERT_TRUE(fbemu::write_fix(fix, Abi::lp64, memory, at));
  EXPECT_EQ(std::memcmp(memory.bytes(at, 80).data(), &fix, 80), 0);
  EXPECT_TRUE(memory.is_untouched(at - 16, 16));
  EXPECT_TRUE(memory.is_untouched(at + 80, 16));
}

TEST(WriteFix, Ilp32WritesCompatOffsets) {
  FakeUserMemory memory;
  ASSERT_TRUE(fbemu::write_fix(distinct_fix(), Abi::ilp32, memory, at));
  EXPECT_EQ(std::memcmp(memory.bytes(at, 16).data(), "0123456789abcde", 16), 0);
  EXPECT_EQ(memory.get<uint32_t>(at + 16), 0x2222'2222U) << "addresses are truncated";
  EXPECT_EQ(memory.get<uint32_t>(at + 20), 0x3333'3333U);
  EXPECT_EQ(memory.get<uint32_t>(at + 24), 0x4444'4444U);
  EXPECT_EQ(memory.get<uint32_t>(at + 28), 0x5555'5555U);
  EXPECT_EQ(memory.get<uint32_t>(at + 32), 0x6666'6666U);
  EXPECT_EQ(memory.get<uint16_t>(at + 36), 0x7777U);
  EXPECT_EQ(memory.get<uint16_t>(at + 38), 0x8888U);
  EXPECT_EQ(memory.get<uint16_t>(at + 40), 0x9999U);
  EXPECT_EQ(memory.get<uint32_t>(at + 44), 0xaaaa'aaaaU);
  EXPECT_EQ(memory.get<uint32_t>(at + 48), 0xcccc'ccccU);
  EXPECT_EQ(memory.get<uint32_t>(at + 52), 0xdddd'ddddU);
  EXPECT_EQ(memory.get<uint32_t>(at + 56), 0xefef'efefU);
}

TEST(WriteFix, Ilp32WritesZeroCapabilities) {
  FakeUserMemory memory;
  ASSERT_TRUE(fbemu::write_fix(distinct_fix(), Abi::ilp32, memory, at));
  EXPECT_EQ(memory.get<uint32_t>(at + 60), 0U);
}

TEST(WriteFix, Ilp32KeepsPaddingAndLastWord) {
  FakeUserMemory memory;
  ASSERT_TRUE(fbemu::write_fix(distinct_fix(), Abi::ilp32, memory, at));
  EXPECT_TRUE(memory.is_untouched(at + 42, 2));
  EXPECT_TRUE(memory.is_untouched(at + 64, 64));
  EXPECT_TRUE(memory.is_untouched(at - 16, 16));
}

TEST(WriteFix, BadAddressReturnsEfault) {
  FakeUserMemory memory;
  memory.make_hole(at + 50, at + 51);
  EXPECT_EQ(error_of(fbemu::write_fix(distinct_fix(), Abi::lp64, memory, at)), EFAULT);
  EXPECT_EQ(error_of(fbemu::write_fix(distinct_fix(), Abi::ilp32, memory, at)), EFAULT);
  memory.make_hole(at, at + 1);
  EXPECT_EQ(error_of(fbemu::write_fix(distinct_fix(), Abi::ilp32, memory, at)), EFAULT);
}

TEST(WriteFix, Ilp32IgnoresHoleInUnwrittenWord) {
  FakeUserMemory memory;
  memory.make_hole(at + 64, at + 68);
  EXPECT_TRUE(fbemu::write_fix(distinct_fix(), Abi::ilp32, memory, at));
}

TEST(ReadColorMap, Lp64ReadsEightBytePointers) {
  FakeUserMemory memory;
  memory.put(at, uint32_t{3});
  memory.put(at + 4, uint32_t{5});
  memory.put(at + 8, uint64_t{0x1111'1111'1111'1111});
  memory.put(at + 16, uint64_t{0x2222'2222'2222'2222});
  memory.put(at + 24, uint64_t{0x3333'3333'3333'3333});
  memory.put(at + 32, uint64_t{0x4444'4444'4444'4444});
  memory.make_hole(at + 40, at + 41);
  const auto map = read_color_map(Abi::lp64, memory, at);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->start, 3U);
  EXPECT_EQ(map->len, 5U);
  EXPECT_EQ(map->red, 0x1111'1111'1111'1111U);
  EXPECT_EQ(map->green, 0x2222'2222'2222'2222U);
  EXPECT_EQ(map->blue, 0x3333'3333'3333'3333U);
  EXPECT_EQ(map->transp, 0x4444'4444'4444'4444U);
}

TEST(ReadColorMap, Ilp32ReadsFourBytePointers) {
  FakeUserMemory memory;
  const uint32_t words[] = {3, 5, 0x8111'1111, 0x8222'2222, 0x8333'3333, 0x8444'4444};
  memory.put(at, words);
  memory.make_hole(at + 24, at + 25);
  const auto map = read_color_map(Abi::ilp32, memory, at);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->start, 3U);
  EXPECT_EQ(map->len, 5U);
  EXPECT_EQ(map->red, 0x8111'1111U);
  EXPECT_EQ(map->green, 0x8222'2222U);
  EXPECT_EQ(map->blue, 0x8333'3333U);
  EXPECT_EQ(map->transp, 0x8444'4444U);
}

TEST(ReadColorMap, BadAddressReturnsEfault) {
  FakeUserMemory memory;
  memory.make_hole(at + 20, at + 21);
  EXPECT_EQ(error_of(read_color_map(Abi::lp64, memory, at)), EFAULT);
  EXPECT_EQ(error_of(read_color_map(Abi::ilp32, memory, at)), EFAULT);
}
