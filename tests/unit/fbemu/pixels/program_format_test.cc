#include "fbemu/pixels/program_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "drmclient/pixman_format.h"
#include "fbemu/fbdev/var_format.h"

using fbemu::Channel;
using fbemu::choose_format;
using fbemu::format_of_depth;
using fbemu::ProgramFormat;
using fbemu::Visual;

namespace {

fb_var_screeninfo with(const std::function<void(fb_var_screeninfo&)>& change) {
  fb_var_screeninfo var{};
  fbemu::set_format(var, ProgramFormat{});
  change(var);
  return var;
}

base::Result<ProgramFormat> choose(const std::function<void(fb_var_screeninfo&)>& change,
                                   bool direct_color = false) {
  return choose_format(with(change), {}, direct_color);
}

bool refused(const base::Result<ProgramFormat>& format) {
  return !format && format.error().value() == EINVAL;
}

void clear_fields(fb_var_screeninfo& var) {
  var.red = var.green = var.blue = var.transp = {};
}

}  // namespace

TEST(FormatOfDepth, DepthIsRoundedUpToPixelSize) {
  EXPECT_EQ(format_of_depth(1)->bits_per_pixel, 1U);
  EXPECT_EQ(format_of_depth(2)->bits_per_pixel, 8U);
  EXPECT_EQ(format_of_depth(8)->visual, Visual::pseudocolor);
  EXPECT_EQ(format_of_depth(12)->green, (Channel{5, 5}));
  EXPECT_EQ(format_of_depth(15)->bits_per_pixel, 16U);
  EXPECT_EQ(format_of_depth(15)->green, (Channel{5, 5}));
  EXPECT_EQ(format_of_depth(16)->green, (Channel{5, 6}));
  EXPECT_EQ(format_of_depth(17)->bits_per_pixel, 24U);
  EXPECT_EQ(format_of_depth(32), ProgramFormat{});
  EXPECT_TRUE(refused(format_of_depth(0)));
  EXPECT_TRUE(refused(format_of_depth(33)));
}

TEST(ChooseFormat, ZeroBitFieldsSelectDefaultFormat) {
  const auto sixteen = choose([](auto& var) { var.bits_per_pixel = 16, clear_fields(var); });
  ASSERT_TRUE(sixteen.has_value());
  EXPECT_EQ(*sixteen, *format_of_depth(16));
}

TEST(ChooseFormat, BitFieldsOfOldDepthSelectDefaultFormat) {
  // `fbset -depth N` changes only bits_per_pixel.
  for (const uint32_t depth : {1U, 8U, 15U, 16U, 24U, 32U}) {
    const auto format = choose([&](auto& var) { var.bits_per_pixel = depth; });
    ASSERT_TRUE(format.has_value()) << depth;
    EXPECT_EQ(format->bits_per_pixel, format_of_depth(depth)->bits_per_pixel);
  }
  for (const uint32_t depth : {1U, 8U, 15U, 16U, 24U}) {
    fb_var_screeninfo var{};
    fbemu::set_format(var, *format_of_depth(depth));
    var.bits_per_pixel = 32;
    EXPECT_EQ(*choose_format(var, *format_of_depth(depth), false), ProgramFormat{}) << depth;
  }
}

TEST(ChooseFormat, BitFieldsOfOtherDepthAtCurrentDepthReturnEinval) {
  EXPECT_TRUE(refused(choose([](auto& var) {
    fbemu::set_format(var, *format_of_depth(16));
    var.bits_per_pixel = 32;
  })));
}

TEST(ChooseFormat, FifteenBitsSelectRgb555) {
  const auto format = choose([](auto& var) {
    fbemu::set_format(var, *format_of_depth(16));
    var.bits_per_pixel = 15;
  });
  ASSERT_TRUE(format.has_value());
  EXPECT_EQ(format->green.length, 5U);
}

TEST(ChooseFormat, ZeroDepthKeepsCurrentFormat) {
  fb_var_screeninfo var{};
  EXPECT_EQ(*choose_format(var, *format_of_depth(8), false), *format_of_depth(8));
}

TEST(ChooseFormat, BitFieldsSelectChannelOrder) {
  const auto blue_first = choose([](auto& var) { var.red.offset = 0, var.blue.offset = 16; });
  ASSERT_TRUE(blue_first.has_value());
  EXPECT_EQ(blue_first->code, PIXMAN_x8b8g8r8);
  const auto with_alpha = choose([](auto& var) { var.transp = {24, 8, 0}; });
  ASSERT_TRUE(with_alpha.has_value());
  EXPECT_EQ(with_alpha->transp, (Channel{24, 8}));
}

TEST(ChooseFormat, UnknownFormatReturnsEinval) {
  EXPECT_TRUE(refused(choose([](auto& var) { var.green.length = 7; })));
  EXPECT_TRUE(refused(choose([](auto& var) { var.red.msb_right = 1; })));
  EXPECT_TRUE(refused(choose([](auto& var) { var.nonstd = 1; })));
  EXPECT_TRUE(refused(choose([](auto& var) { var.grayscale = 2; })));
  EXPECT_TRUE(refused(choose([](auto& var) { var.grayscale = 1; })));
  EXPECT_TRUE(refused(choose([](auto& var) { clear_fields(var), var.transp.length = 1; })));
  EXPECT_TRUE(refused(choose([](auto& var) { var.bits_per_pixel = 0xffffffff; })));
}

TEST(ChooseFormat, DirectColorOptionSelectsDirectColor) {
  EXPECT_EQ(choose([](auto& var) { var.bits_per_pixel = 16; }, true)->visual, Visual::directcolor);
  EXPECT_EQ(choose([](auto&) {}, true)->visual, Visual::directcolor);
  EXPECT_EQ(choose([](auto& var) { var.bits_per_pixel = 8; }, true)->visual, Visual::pseudocolor);
}

TEST(ChooseFormat, FormatSurvivesRoundTripThroughVar) {
  for (const bool direct : {false, true}) {
    for (const uint32_t depth : {1U, 8U, 15U, 16U, 24U, 32U}) {
      fb_var_screeninfo var{};
      var.bits_per_pixel = depth;
      const auto format = choose_format(var, {}, direct);
      ASSERT_TRUE(format.has_value());
      fbemu::set_format(var, *format);
      EXPECT_EQ(*choose_format(var, {}, direct), *format);
    }
  }
}

TEST(FixVisual, MatchesFormat) {
  EXPECT_EQ(fix_visual(*format_of_depth(1)), static_cast<uint32_t>(FB_VISUAL_MONO10));
  EXPECT_EQ(fix_visual(*format_of_depth(8)), static_cast<uint32_t>(FB_VISUAL_PSEUDOCOLOR));
  EXPECT_EQ(fix_visual(*format_of_depth(24)), static_cast<uint32_t>(FB_VISUAL_TRUECOLOR));
  EXPECT_EQ(fix_visual(*choose([](auto&) {}, true)), static_cast<uint32_t>(FB_VISUAL_DIRECTCOLOR));
}

TEST(ScanoutEquivalent, ExistsOnlyForEqualBytes) {
  EXPECT_EQ(scanout_equivalent(ProgramFormat{}), drmclient::PixelFormat::xrgb8888);
  EXPECT_EQ(scanout_equivalent(*format_of_depth(16)), drmclient::PixelFormat::rgb565);
  EXPECT_EQ(scanout_equivalent(*format_of_depth(8)), std::nullopt);
  EXPECT_EQ(scanout_equivalent(*choose([](auto&) {}, true)), std::nullopt);
}
