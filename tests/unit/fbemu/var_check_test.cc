#include "fbemu/var_check.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "fbemu/screeninfo.h"

using drmclient::make_mode;
using drmclient::Mode;
using drmclient::Size;
using fbemu::check_var;
using fbemu::CheckedVar;
using fbemu::offsets_fit;
using fbemu::Scene;
using fbemu::VarLimits;

namespace {

constexpr uint64_t memory_bytes = uint64_t{2} * 1024 * 768 * 4;
constexpr uint32_t most = std::numeric_limits<uint32_t>::max();

/// An output with 1024x768 at 60 and 75 Hz and 800x600, and nothing else.
drmclient::Output monitor() {
  drmclient::Output output;
  output.modes = {make_mode({1024, 768}, 60'000), make_mode({1024, 768}, 75'000),
                  make_mode({800, 600}, 60'000)};
  output.size_mm = {271, 203};
  return output;
}

drmclient::Output virtual_monitor() {
  drmclient::Output output = monitor();
  output.custom_modes_up_to = {8192, 8192};
  return output;
}

/// What FBIOGET_VSCREENINFO gives at the start.
fb_var_screeninfo present_var() {
  Scene scene;
  scene.mode = monitor().modes.front();
  scene.layout.pitch_bytes = 4096;
  scene.layout.virtual_size = {1024, 768};
  return make_var(scene, monitor().size_mm);
}

drmclient::Result<CheckedVar> check(const fb_var_screeninfo& var, const drmclient::Output& output = monitor(),
                                    uint64_t memory = memory_bytes) {
  return check_var(var, {output, output.modes.front(), memory});
}

drmclient::Result<CheckedVar> check_with(const std::function<void(fb_var_screeninfo&)>& change) {
  fb_var_screeninfo var = present_var();
  change(var);
  return check(var);
}

bool refused(const drmclient::Result<CheckedVar>& checked) {
  return !checked && checked.error().value() == EINVAL;
}

bool same(const fb_var_screeninfo& a, const fb_var_screeninfo& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

TEST(CheckVar, ThePresentVarIsAcceptedUnchanged) {
  const auto checked = check(present_var());
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(same(checked->var, present_var()));
  EXPECT_EQ(checked->scene.mode, monitor().modes.front());
}

TEST(CheckVar, SidesBelowEightAreRefused) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = 7; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.yres = 7; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = var.yres = 0; })));
}

TEST(CheckVar, AreasBeyond32BitsAreRefused) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres = var.yres = 65'536; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = var.yres_virtual = 65'536; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = var.yres_virtual = most; })));
}

TEST(CheckVar, VirtualSizesThatPassTheAreaCheckButNotTheMemoryAreRefused) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = most, var.yres_virtual = 1; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = 1, var.yres_virtual = most; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = most, var.yres_virtual = 0; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.xres_virtual = 0x4000'0000, var.yres_virtual = 3; })));
}

TEST(CheckVar, TheVirtualScreenMayFillTheMemoryAndNoMore) {
  const auto full = check_with([](auto& var) { var.yres_virtual = 1536; });
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->var.yres_virtual, 1536U);
  EXPECT_TRUE(refused(check_with([](auto& var) { var.yres_virtual = 1537; })));
}

TEST(CheckVar, OnlyThirtyTwoBitsPerPixelAreAccepted) {
  for (const uint32_t bits : {1U, 8U, 15U, 16U, 24U, 31U, 33U, 64U}) {
    EXPECT_TRUE(refused(check_with([&](auto& var) { var.bits_per_pixel = bits; }))) << bits;
  }
  const auto chosen = check_with([](auto& var) { var.bits_per_pixel = 0; });
  ASSERT_TRUE(chosen.has_value());
  EXPECT_EQ(chosen->var.bits_per_pixel, 32U);
}

TEST(CheckVar, GrayscaleAndNonstandardFormatsAreRefused) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.grayscale = 1; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.grayscale = 0x34325258; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.nonstd = 1; })));
}

TEST(CheckVar, ZeroBitfieldsAreFilledIn) {
  const auto checked = check_with([](auto& var) { var.red = var.green = var.blue = var.transp = {}; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(same(checked->var, present_var()));
}

TEST(CheckVar, OtherBitfieldsAreRefused) {
  EXPECT_TRUE(refused(check_with([](auto& var) { var.red.offset = 0, var.blue.offset = 16; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.green.length = 6; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.blue.msb_right = 1; })));
  EXPECT_TRUE(refused(check_with([](auto& var) { var.transp = {24, 8, 0}; })));
  EXPECT_TRUE(
      refused(check_with([](auto& var) { var.red = var.green = var.blue = {}, var.transp.length = 1; })));
}

TEST(CheckVar, OffsetsMayReachTheEdgeOfTheVirtualScreenAndNoFurther) {
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
  EXPECT_EQ(edge->scene.offset, (drmclient::Point{76, 232}));
  EXPECT_TRUE(refused(with_offsets(77, 232)));
  EXPECT_TRUE(refused(with_offsets(76, 233)));
  EXPECT_TRUE(refused(with_offsets(most, 0)));
  EXPECT_TRUE(refused(with_offsets(0, most)));
}

TEST(CheckVar, AVirtualScreenSmallerThanTheVisibleIsEnlarged) {
  const auto checked = check_with([](auto& var) { var.xres_virtual = 640, var.yres_virtual = 0; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->var.xres_virtual, 1024U);
  EXPECT_EQ(checked->var.yres_virtual, 768U);
}

TEST(CheckVar, AnotherSizeOfTheListIsItsMode) {
  const auto checked =
      check_with([](auto& var) { var.xres = var.xres_virtual = 800, var.yres = var.yres_virtual = 600; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->scene.mode, monitor().modes[2]);
  EXPECT_EQ(checked->scene.layout.pitch_bytes, 3200U);
  EXPECT_EQ(checked->var.pixclock, make_var(checked->scene, {}).pixclock);
}

TEST(CheckVar, ASizeThatTheOutputDoesNotHaveIsRefused) {
  fb_var_screeninfo var = present_var();
  var.xres = var.xres_virtual = 640;
  var.yres = var.yres_virtual = 480;
  EXPECT_TRUE(refused(check(var)));
  EXPECT_TRUE(check(var, virtual_monitor()).has_value());
}

TEST(CheckVar, AnotherTimingOfTheSameSizeIsTheModeNearestToIt) {
  const auto checked = check_with([](auto& var) { fbemu::set_timing(var, make_mode({1024, 768}, 74'000)); });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->scene.mode, monitor().modes[1]);
}

TEST(CheckVar, WithoutATimingTheModeStays) {
  const auto checked = check_with([](auto& var) { var.pixclock = 0, var.left_margin = 7; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->scene.mode, monitor().modes.front());
  EXPECT_TRUE(same(checked->var, present_var()));
}

TEST(CheckVar, ATimingThatMakesNoSenseIsNoReasonToRefuse) {
  const auto checked = check_with([](auto& var) {
    var.pixclock = 1;
    var.left_margin = var.right_margin = var.hsync_len = most;
  });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->scene.mode.size(), (Size{1024, 768}));
}

TEST(CheckVar, WhatIsNotTheProgramsToSayIsOverwritten) {
  const auto checked = check_with([](auto& var) {
    var.width = var.height = var.rotate = var.colorspace = var.accel_flags = 5;
    var.vmode = FB_VMODE_DOUBLE;
    var.sync = most;
    var.reserved[3] = 9;
  });
  ASSERT_TRUE(checked.has_value());
  EXPECT_TRUE(same(checked->var, present_var()));
}

TEST(CheckVar, ActivateIsKept) {
  const auto checked = check_with([](auto& var) { var.activate = FB_ACTIVATE_TEST | FB_ACTIVATE_VBL; });
  ASSERT_TRUE(checked.has_value());
  EXPECT_EQ(checked->var.activate, static_cast<uint32_t>(FB_ACTIVATE_TEST | FB_ACTIVATE_VBL));
}

TEST(OffsetsFit, AtTheEdgeAndNotBeyond) {
  Scene scene;
  scene.mode = make_mode({64, 48});
  scene.layout.virtual_size = {64, 100};
  EXPECT_TRUE(offsets_fit(0, 52, scene));
  EXPECT_FALSE(offsets_fit(0, 53, scene));
  EXPECT_FALSE(offsets_fit(1, 0, scene));
  EXPECT_FALSE(offsets_fit(most, most, scene));
}

namespace {

uint32_t some_number() {
  return *rc::gen::oneOf(rc::gen::inRange(0U, 3000U), rc::gen::arbitrary<uint32_t>(),
                         rc::gen::element(0U, 8U, 768U, 1024U, 0x7fff'ffffU, 0x8000'0000U, most));
}

fb_var_screeninfo some_var() {
  fb_var_screeninfo var{};
  if (*rc::gen::arbitrary<bool>()) var = present_var();
  for (uint32_t* field : {&var.xres, &var.yres, &var.xres_virtual, &var.yres_virtual, &var.xoffset,
                          &var.yoffset, &var.pixclock, &var.left_margin, &var.right_margin, &var.hsync_len,
                          &var.upper_margin, &var.lower_margin, &var.vsync_len}) {
    if (*rc::gen::inRange(0, 8) == 0) *field = some_number();
  }
  return var;
}

}  // namespace

RC_GTEST_PROP(CheckVar, NeverAcceptsWhatDoesNotFit, ()) {
  const fb_var_screeninfo wanted = some_var();
  const auto output = *rc::gen::arbitrary<bool>() ? monitor() : virtual_monitor();
  const auto checked = check(wanted, output);
  if (!checked) {
    RC_ASSERT(checked.error().value() == EINVAL);
    return;
  }
  const Scene& scene = checked->scene;
  const Size whole = scene.layout.virtual_size;
  RC_ASSERT(scene.mode.size() == (Size{wanted.xres, wanted.yres}));
  RC_ASSERT(whole.width >= wanted.xres && whole.height >= wanted.yres);
  RC_ASSERT(uint64_t{scene.layout.pitch_bytes} >= uint64_t{whole.width} * 4);
  RC_ASSERT(uint64_t{scene.layout.pitch_bytes} * whole.height <= memory_bytes);
  RC_ASSERT(uint64_t{scene.offset.x} + wanted.xres <= whole.width);
  RC_ASSERT(uint64_t{scene.offset.y} + wanted.yres <= whole.height);
  RC_ASSERT(scene.visible_bytes().end <= memory_bytes);
}

RC_GTEST_PROP(CheckVar, AnAcceptedVarPutAgainIsTheSame, ()) {
  const auto output = virtual_monitor();
  fb_var_screeninfo wanted{};
  wanted.xres = *rc::gen::oneOf(rc::gen::element(800U, 1024U), rc::gen::inRange(8U, 1300U));
  wanted.yres = *rc::gen::oneOf(rc::gen::element(600U, 768U), rc::gen::inRange(8U, 1000U));
  wanted.xres_virtual = *rc::gen::inRange(0U, 1400U);
  wanted.yres_virtual = *rc::gen::inRange(0U, 1100U);
  if (*rc::gen::arbitrary<bool>()) {
    fbemu::set_timing(wanted, make_mode({wanted.xres, wanted.yres}, *rc::gen::inRange(1'000U, 300'000U)));
  }
  if (wanted.xres_virtual > wanted.xres)
    wanted.xoffset = *rc::gen::inRange(0U, wanted.xres_virtual - wanted.xres + 1);
  if (wanted.yres_virtual > wanted.yres)
    wanted.yoffset = *rc::gen::inRange(0U, wanted.yres_virtual - wanted.yres + 1);
  const auto checked = check(wanted, output);
  RC_ASSERT(checked.has_value());
  const auto again = check_var(checked->var, {output, checked->scene.mode, memory_bytes});
  RC_ASSERT(again.has_value());
  RC_ASSERT(same(again->var, checked->var));
  RC_ASSERT(again->scene == checked->scene);
}
