#include "fbemu/fbdev/var_check.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "fbemu/fbdev/screeninfo.h"

using drmclient::make_mode;
using drmclient::Mode;
using drmclient::Size;
using fbemu::check_var;
using fbemu::CheckedVar;
using fbemu::FramebufferState;
using fbemu::offsets_fit;
using fbemu::Presentation;
using fbemu::Rotation;
using fbemu::VarLimits;

namespace {

constexpr uint64_t memory_bytes = uint64_t{2} * 1024 * 768 * 4;
constexpr uint32_t most = std::numeric_limits<uint32_t>::max();

/// Makes an output whose only modes are 1024x768 at 60 and 75 Hz and 800x600.
drmclient::OutputInfo monitor() {
  drmclient::OutputInfo output;
  output.modes = {make_mode({1024, 768}, 60'000), make_mode({1024, 768}, 75'000),
                  make_mode({800, 600}, 60'000)};
  output.size_mm = {271, 203};
  return output;
}

drmclient::OutputInfo virtual_monitor() {
  drmclient::OutputInfo output = monitor();
  output.custom_modes_up_to = {8192, 8192};
  output.takes_any_timing = true;
  return output;
}

/// Returns the current state; FBIOGET_VSCREENINFO returns current_var() for it.
FramebufferState current_fb_state() {
  FramebufferState fb_state;
  fb_state.mode = monitor().modes.front();
  fb_state.size = {1024, 768};
  fb_state.layout.pitch_bytes = 4096;
  fb_state.layout.virtual_size = {1024, 768};
  return fb_state;
}

fb_var_screeninfo current_var() {
  return make_var(current_fb_state(), monitor().size_mm);
}

Presentation initial_presentation() {
  Presentation presentation;
  presentation.mode = monitor().modes.front();
  return presentation;
}

base::Result<CheckedVar> check(const fb_var_screeninfo& var, const drmclient::OutputInfo& output = monitor(),
                               uint64_t memory = memory_bytes,
                               const Presentation& presentation = initial_presentation()) {
  const FramebufferState current = current_fb_state();
  return check_var(var, {output, presentation, current, memory});
}

base::Result<CheckedVar> check_with(const std::function<void(fb_var_screeninfo&)>& change) {
  fb_var_screeninfo var = current_var();
  change(var);
  return check(var);
}

bool refused(const base::Result<CheckedVar>& checked) {
  return !checked && checked.error().value() == EINVAL;
}

bool same(const fb_var_screeninfo& a, const fb_var_screeninfo& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

TEST(CheckVar, CurrentVarIsAcceptedUnchanged) {
  const auto checked = check(current_var());
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(same(checked->var, current_var()));
  EXPECT_EQ(checked->fb_state.mode, monitor().modes.front());
}

TEST(CheckVar, SideBelowEightReturnsEinval) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = 7; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.yres = 7; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = var.yres = 0; })));
}

TEST(CheckVar, AreaBeyond32BitsReturnsEinval) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = var.yres = 65'536; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = var.yres_virtual = 65'536; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = var.yres_virtual = most; })));
}

TEST(CheckVar, VirtualSizeBeyondMemoryReturnsEinval) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = most, var.yres_virtual = 1; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = 1, var.yres_virtual = most; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = most, var.yres_virtual = 0; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = 0x4000'0000, var.yres_virtual = 3; })));
}

TEST(CheckVar, VirtualSizeUpToMemoryIsAccepted) {
  const auto full = check_with([](auto& var) { var.yres_virtual = 1536; });
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->var.yres_virtual, 1536U);
  EXPECT_TRUE(refused(check_with([](auto& var) { var.yres_virtual = 1537; })));
}

TEST(CheckVar, EveryDepthSetsPitch) {
  const auto pitch_of = [](uint32_t bits) {
    const auto checked = check_with([&](auto& var) {
      var.bits_per_pixel = bits;
      var.xres_virtual = 1031;
      var.yres_virtual = 768;
    });
    return checked ? checked->fb_state.layout.pitch_bytes : 0;
  };
  EXPECT_EQ(pitch_of(1), 129U);
  EXPECT_EQ(pitch_of(8), 1031U);
  EXPECT_EQ(pitch_of(15), 2062U);
  EXPECT_EQ(pitch_of(16), 2062U);
  EXPECT_EQ(pitch_of(24), 3093U);
  EXPECT_EQ(pitch_of(32), 4124U);
  EXPECT_EQ(pitch_of(0), 4124U);
  EXPECT_EQ(pitch_of(33), 0U);
  EXPECT_EQ(pitch_of(most), 0U);
}

TEST(CheckVar, GrayscaleRequiresEightBits) {
  const auto grey = check_with([](auto& var) { var.grayscale = 1, var.bits_per_pixel = 8; });
  ASSERT_TRUE(grey.has_value());
  EXPECT_EQ(grey->var.grayscale, 1U);
  EXPECT_TRUE(refused(check_with([](auto& var) { var.grayscale = 1; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.grayscale = 0x34325258; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.nonstd = 1; })));
}

TEST(CheckVar, ZeroBitFieldsAreFilled) {
  const auto checked = check_with([](auto& var) { var.red = var.green = var.blue = var.transp = {}; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(same(checked->var, current_var()));
}

TEST(CheckVar, UnknownBitFieldsReturnEinval) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.green.length = 6; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.red.offset = 17; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.blue.msb_right = 1; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.transp = {25, 7, 0}; })));
  EXPECT_TRUE(
      refused(check_with([](auto& var) { var.red = var.green = var.blue = {}, var.transp.length = 1; })));
}

TEST(CheckVar, OffsetBeyondVirtualSizeReturnsEinval) {
  const auto with_offsets = [](uint32_t x, uint32_t y) {
    return check_with([=](auto& var) {
      var.yres_virtual = 1000;
      var.xres_virtual = 1100;
      var.xoffset = x;
      var.yoffset = y;
    });
  };
  const auto edge = with_offsets(76, 232);
  ASSERT_TRUE(edge.has_value());
  EXPECT_EQ(edge->fb_state.offset, (drmclient::Point{76, 232}));
  EXPECT_TRUE(refused(with_offsets(77, 232)));
  EXPECT_TRUE(refused(with_offsets(76, 233)));
  EXPECT_TRUE(refused(with_offsets(most, 0)));
  EXPECT_TRUE(refused(with_offsets(0, most)));
}

TEST(CheckVar, VirtualSizeSmallerThanVisibleIsEnlarged) {
  const auto checked = check_with([](auto& var) { var.xres_virtual = 640, var.yres_virtual = 0; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->var.xres_virtual, 1024U);
  EXPECT_EQ(checked->var.yres_virtual, 768U);
}

TEST(CheckVar, ListedSizeSelectsItsMode) {
  const auto checked =
      check_with([](auto& var) { var.xres = var.xres_virtual = 800, var.yres = var.yres_virtual = 600; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode, monitor().modes[2]);
  EXPECT_EQ(checked->fb_state.layout.pitch_bytes, 3200U);
  EXPECT_EQ(checked->var.pixclock, make_var(checked->fb_state, {}).pixclock);
}

TEST(CheckVar, UnlistedSizeSelectsLargerMode) {
  fb_var_screeninfo var = current_var();
  var.xres = var.xres_virtual = 640;
  var.yres = var.yres_virtual = 480;
  const auto on_monitor = check(var);
  ASSERT_TRUE(on_monitor.has_value());
  EXPECT_EQ(on_monitor->fb_state.size, (Size{640, 480}));
  EXPECT_EQ(on_monitor->fb_state.mode, monitor().modes.front());
  const auto anywhere = check(var, virtual_monitor());
  ASSERT_TRUE(anywhere.has_value());
  EXPECT_EQ(anywhere->fb_state.mode.size(), (Size{640, 480}));
}

TEST(CheckVar, SmallerPictureHasRefreshRateOfMode) {
  const auto checked = check_with([](auto& var) { var.xres = 333, var.yres = 222; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_NEAR(fbemu::refresh_millihertz(checked->var), 60'000, 60);
}

TEST(CheckVar, SizeBeyondEveryModeReturnsEinval) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = var.xres_virtual = 1025; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.yres = var.yres_virtual = 769; })));
}

TEST(CheckVar, SizeBeyondInitialModeSelectsSmallestLargerMode) {
  Presentation small = initial_presentation();
  small.mode = monitor().modes[2];
  fb_var_screeninfo var = current_var();
  var.xres = 900;
  var.yres = 700;
  const auto checked = check(var, monitor(), memory_bytes, small);
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode.size(), (Size{1024, 768}));
}

TEST(CheckVar, RotationWithSwappedSidesSelectsModeOfRotatedSize) {
  const auto checked = check_with([](auto& var) {
    var.rotate = FB_ROTATE_CW;
    var.xres = var.xres_virtual = 600;
    var.yres = var.yres_virtual = 800;
  });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode, monitor().modes[2]);
  EXPECT_EQ(checked->fb_state.rotation, Rotation::clockwise);
  EXPECT_EQ(checked->var.rotate, static_cast<uint32_t>(FB_ROTATE_CW));
}

TEST(CheckVar, RotationWithUnswappedSidesScalesDown) {
  const auto checked = check_with([](auto& var) { var.rotate = FB_ROTATE_CCW; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode, monitor().modes.front());
  EXPECT_EQ(checked->fb_state.view_transform().target().size(), (Size{576, 768}));
}

TEST(CheckVar, DisplayAndProgramRotationsAdd) {
  Presentation turned_display = initial_presentation();
  turned_display.rotation = Rotation::clockwise;
  fb_var_screeninfo var = current_var();
  var.rotate = FB_ROTATE_UD;
  var.xres = var.xres_virtual = 768;
  var.yres = var.yres_virtual = 1024;
  const auto checked = check(var, monitor(), memory_bytes, turned_display);
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.rotation, Rotation::counterclockwise);
  EXPECT_EQ(checked->var.width, 203U);
  EXPECT_EQ(checked->var.rotate, static_cast<uint32_t>(FB_ROTATE_UD));
}

TEST(CheckVar, OtherTimingSelectsNearestModeOfSameSize) {
  const auto checked = check_with([](auto& var) {
    fbemu::set_timing(var, make_mode({1024, 768}, 74'000), {1024, 768}, Rotation::none);
  });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode, monitor().modes[1]);
}

TEST(CheckVar, VarWithoutTimingKeepsMode) {
  const auto checked = check_with([](auto& var) { var.pixclock = 0, var.left_margin = 7; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode, monitor().modes.front());
  EXPECT_TRUE(same(checked->var, current_var()));
}

TEST(CheckVar, AbsurdTimingIsAccepted) {
  const auto checked = check_with([](auto& var) {
    var.pixclock = 1;
    var.left_margin = var.right_margin = var.hsync_len = most;
  });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->fb_state.mode.size(), (Size{1024, 768}));
}

TEST(CheckVar, ReadOnlyFieldsAreOverwritten) {
  const auto checked = check_with([](auto& var) {
    var.width = var.height = var.rotate = var.colorspace = var.accel_flags = 5;
    var.vmode = FB_VMODE_DOUBLE;
    var.sync = most;
    var.reserved[3] = 9;
  });
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(same(checked->var, current_var()));
}

TEST(CheckVar, ActivateIsKept) {
  const auto checked = check_with([](auto& var) { var.activate = FB_ACTIVATE_TEST | FB_ACTIVATE_VBL; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->var.activate, static_cast<uint32_t>(FB_ACTIVATE_TEST | FB_ACTIVATE_VBL));
}

TEST(OffsetsFit, ViewAtEdgeFits) {
  FramebufferState fb_state;
  fb_state.size = {64, 48};
  fb_state.layout.virtual_size = {64, 100};
  EXPECT_TRUE(offsets_fit(0, 52, false, fb_state));
  EXPECT_FALSE(offsets_fit(0, 53, false, fb_state));
  EXPECT_FALSE(offsets_fit(1, 0, false, fb_state));
  EXPECT_FALSE(offsets_fit(most, most, false, fb_state));
}

TEST(OffsetsFit, WrappedViewFitsAtAnyLine) {
  FramebufferState fb_state;
  fb_state.size = {64, 48};
  fb_state.layout.virtual_size = {64, 100};
  EXPECT_TRUE(offsets_fit(0, 100, true, fb_state));
  EXPECT_FALSE(offsets_fit(0, 101, true, fb_state));
  EXPECT_FALSE(offsets_fit(1, 60, true, fb_state));
}

namespace {

uint32_t some_number() {
  return *rc::gen::oneOf(rc::gen::inRange(0U, 3000U), rc::gen::arbitrary<uint32_t>(),
                         rc::gen::element(0U, 8U, 768U, 1024U, 0x7fff'ffffU, 0x8000'0000U, most));
}

fb_var_screeninfo some_var() {
  fb_var_screeninfo var{};
  if (*rc::gen::arbitrary<bool>()) var = current_var();
  for (uint32_t* field : {&var.xres, &var.yres, &var.xres_virtual, &var.yres_virtual, &var.xoffset,
                          &var.yoffset, &var.pixclock, &var.left_margin, &var.right_margin, &var.hsync_len,
                          &var.upper_margin, &var.lower_margin, &var.vsync_len, &var.sync, &var.vmode,
                          &var.red.offset, &var.green.length, &var.transp.msb_right, &var.colorspace}) {
    if (*rc::gen::inRange(0, 8) == 0) *field = some_number();
  }
  var.bits_per_pixel = *rc::gen::element(0U, 1U, 4U, 8U, 15U, 16U, 24U, 32U, 33U, most);
  var.rotate = *rc::gen::element(0U, 1U, 2U, 3U, 4U, most);
  if (*rc::gen::inRange(0, 4) == 0) var.grayscale = *rc::gen::element(1U, 2U, most);
  return var;
}

}  // namespace

RC_GTEST_PROP(CheckVar, RandomVarIsAcceptedOnlyIfItFits, ()) {
  const fb_var_screeninfo wanted = some_var();
  const auto output = *rc::gen::arbitrary<bool>() ? monitor() : virtual_monitor();
  const auto checked = check(wanted, output);
  if (!checked) {
    RC_ASSERT(checked.error().value() == EINVAL);
    return;
  }
  const FramebufferState& fb_state = checked->fb_state;
  const Size whole = fb_state.layout.virtual_size;
  RC_ASSERT(fb_state.size == (Size{wanted.xres, wanted.yres}));
  const drmclient::Rect target = fb_state.view_transform().target();
  RC_ASSERT(!target.empty() && target.clipped_to(drmclient::Rect::of(fb_state.mode.size())) == target);
  RC_ASSERT(whole.width >= wanted.xres && whole.height >= wanted.yres);
  RC_ASSERT(fb_state.layout.pitch_bytes == fb_state.layout.format.line_bytes(whole.width));
  RC_ASSERT(uint64_t{fb_state.layout.pitch_bytes} * whole.height <= memory_bytes);
  RC_ASSERT(uint64_t{fb_state.offset.x} + wanted.xres <= whole.width);
  RC_ASSERT(uint64_t{fb_state.offset.y} + (fb_state.wraps ? 0 : wanted.yres) <= whole.height);
  RC_ASSERT(fb_state.visible_bytes().end <= memory_bytes);
}

RC_GTEST_PROP(CheckVar, AcceptedVarIsAcceptedUnchangedAgain, ()) {
  const auto output = virtual_monitor();
  fb_var_screeninfo wanted{};
  wanted.xres = *rc::gen::oneOf(rc::gen::element(800U, 1024U), rc::gen::inRange(8U, 1300U));
  wanted.yres = *rc::gen::oneOf(rc::gen::element(600U, 768U), rc::gen::inRange(8U, 1000U));
  wanted.xres_virtual = *rc::gen::inRange(0U, 1400U);
  wanted.yres_virtual = *rc::gen::inRange(0U, 1100U);
  wanted.bits_per_pixel = *rc::gen::element(0U, 1U, 5U, 8U, 15U, 16U, 24U, 32U);
  wanted.rotate = *rc::gen::inRange(0U, 4U);
  if (*rc::gen::arbitrary<bool>()) {
    const Size size{wanted.xres, wanted.yres};
    fbemu::set_timing(wanted, make_mode(size, *rc::gen::inRange(1'000U, 300'000U)), size, Rotation::none);
  }
  if (wanted.xres_virtual > wanted.xres)
    wanted.xoffset = *rc::gen::inRange(0U, wanted.xres_virtual - wanted.xres + 1);
  if (wanted.yres_virtual > wanted.yres)
    wanted.yoffset = *rc::gen::inRange(0U, wanted.yres_virtual - wanted.yres + 1);
  const auto checked = check(wanted, output);
  RC_ASSERT(checked.has_value());
  const Presentation presentation = initial_presentation();
  const auto again = check_var(checked->var, {output, presentation, checked->fb_state, memory_bytes});
  RC_ASSERT(again.has_value());
  RC_ASSERT(same(again->var, checked->var));
  RC_ASSERT(again->fb_state == checked->fb_state);
}
