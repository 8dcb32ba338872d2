#include "drmclient/mode.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <optional>
#include <string>

using drmclient::make_mode;
using drmclient::Mode;
using drmclient::ModeRequest;
using drmclient::parse_mode;
using drmclient::Size;

namespace {

struct GoodText {
  const char* text;
  Size size;
  std::optional<uint32_t> refresh_millihertz;
};

void PrintTo(const GoodText& good, std::ostream* out) {
  *out << good.text;
}

class ParseGoodMode : public testing::TestWithParam<GoodText> {};
class ParseBadMode : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(ParseGoodMode, ValidTextGivesSizeAndRate) {
  const auto parsed = parse_mode(GetParam().text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->size, GetParam().size);
  EXPECT_EQ(parsed->refresh_millihertz, GetParam().refresh_millihertz);
}

INSTANTIATE_TEST_SUITE_P(Mode, ParseGoodMode,
                         testing::Values(GoodText{"1024x768", {1024, 768}, std::nullopt},
                                         GoodText{"1024X768", {1024, 768}, std::nullopt},
                                         GoodText{"1024x768@75", {1024, 768}, 75'000},
                                         GoodText{"1024x768@59.94", {1024, 768}, 59'940},
                                         GoodText{"1024x768@59.9404", {1024, 768}, 59'940},
                                         GoodText{"1x1", {1, 1}, std::nullopt},
                                         GoodText{"65535x65535", {65'535, 65'535}, std::nullopt},
                                         GoodText{"0640x0480", {640, 480}, std::nullopt},
                                         GoodText{"8x8@1", {8, 8}, 1'000},
                                         GoodText{"8x8@1000", {8, 8}, 1'000'000}));

TEST_P(ParseBadMode, InvalidTextReturnsEinval) {
  const auto parsed = parse_mode(GetParam());
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().value(), EINVAL);
}

INSTANTIATE_TEST_SUITE_P(Mode, ParseBadMode,
                         testing::Values("", "x", "@", "1024", "1024x", "x768", "1024*768", "1024 x768",
                                         "1024x 768", " 1024x768", "1024x768 ", "1024x768x32", "-1024x768",
                                         "+1024x768", "1024x-1", "0x768", "1024x0", "65536x8", "8x65536",
                                         "4294967296x8", "4294967304x768", "99999999999999999999x8",
                                         "1024x768@", "1024x768@ 60", "1024x768@60 ", "1024x768@60Hz",
                                         "1024x768@-60", "1024x768@0", "1024x768@0.9", "1024x768@1000.1",
                                         "1024x768@nan", "1024x768@inf", "1024x768@6e1", "1024x768@0x3c",
                                         "1024x768@60@60", "1024x768-32", "1024x768@1e999", "\xc3\x97"));

TEST(ParseMode, EmbeddedNulIsRefused) {
  const std::string text("1024x768\0", 9);
  EXPECT_FALSE(parse_mode(text).has_value());
}

RC_GTEST_PROP(ParseMode, WrittenModeIsReadBack, ()) {
  const auto width = *rc::gen::inRange<uint32_t>(1, 65'536);
  const auto height = *rc::gen::inRange<uint32_t>(1, 65'536);
  const auto hertz = *rc::gen::inRange<uint32_t>(1, 1'001);
  const auto text = std::to_string(width) + "x" + std::to_string(height) + "@" + std::to_string(hertz);
  const auto parsed = parse_mode(text);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == (ModeRequest{{width, height}, hertz * 1000}));
}

RC_GTEST_PROP(ParseMode, ParsedModeLiesInLimits, (const std::string& text)) {
  if (const auto parsed = parse_mode(text)) {
    RC_ASSERT(parsed->size.width >= 1U && parsed->size.width <= 65'535U);
    RC_ASSERT(parsed->size.height >= 1U && parsed->size.height <= 65'535U);
    const uint32_t refresh = parsed->refresh_millihertz.value_or(1'000);
    RC_ASSERT(refresh >= 1'000U && refresh <= 1'000'000U);
  }
}

TEST(MakeMode, TimingHasReducedBlankingOfCvt) {
  const Mode mode = make_mode({1920, 1080});
  EXPECT_EQ(mode.name, "1920x1080");
  EXPECT_EQ(mode.size(), (Size{1920, 1080}));
  EXPECT_EQ(mode.hsync_start, 1968U);
  EXPECT_EQ(mode.hsync_end, 2000U);
  EXPECT_EQ(mode.htotal, 2080U);
  EXPECT_EQ(mode.vsync_start, 1083U);
  EXPECT_EQ(mode.vtotal, 1111U);
  EXPECT_TRUE(mode.hsync_positive);
  EXPECT_FALSE(mode.vsync_positive);
  EXPECT_FALSE(mode.preferred);
  EXPECT_EQ(mode.clock_khz, 138'653U);
}

TEST(MakeMode, CommonSizesHaveRequestedRate) {
  for (const Size size :
       {Size{1024, 768}, Size{1280, 720}, Size{1920, 1080}, Size{2560, 1440}, Size{3840, 2160}}) {
    for (const uint32_t rate : {23'976U, 30'000U, 50'000U, 59'940U, 60'000U, 75'000U, 144'000U}) {
      EXPECT_NEAR(make_mode(size, rate).refresh_millihertz(), rate, 1) << size.width << "x" << size.height;
    }
  }
}

TEST(MakeMode, DefaultRateIs60Hz) {
  EXPECT_EQ(make_mode({1024, 768}).refresh_millihertz(), 60'000U);
}

RC_GTEST_PROP(MakeMode, TimingIsOrderedAndRateIsExactToPixelClock, ()) {
  const Size size{*rc::gen::inRange<uint32_t>(8, 16'385), *rc::gen::inRange<uint32_t>(8, 16'385)};
  const auto rate = *rc::gen::inRange<uint32_t>(1'000, 1'000'001);
  const Mode mode = make_mode(size, rate);
  RC_ASSERT(mode.size() == size);
  RC_ASSERT(mode.hdisplay < mode.hsync_start);
  RC_ASSERT(mode.hsync_start < mode.hsync_end);
  RC_ASSERT(mode.hsync_end < mode.htotal);
  RC_ASSERT(mode.vdisplay < mode.vsync_start);
  RC_ASSERT(mode.vsync_start < mode.vsync_end);
  RC_ASSERT(mode.vsync_end < mode.vtotal);
  // The clock is a whole number of kHz, so the rate may differ by half of one.
  const double pixels = double{1} * mode.htotal * mode.vtotal;
  const double off = std::abs(double{1} * mode.refresh_millihertz() - rate);
  RC_ASSERT(off <= 500'000 / pixels + 0.5 + 1e-6);
}

RC_GTEST_PROP(MakeMode, VerticalBlankLastsAtLeast460Microseconds, ()) {
  const Size size{*rc::gen::inRange<uint32_t>(640, 8'193), *rc::gen::inRange<uint32_t>(480, 8'193)};
  const auto rate = *rc::gen::inRange<uint32_t>(1'000, 240'001);
  const Mode mode = make_mode(size, rate);
  const double line_us = 1e9 / rate / mode.vtotal;
  RC_ASSERT(line_us * (mode.vtotal - mode.vdisplay) >= 459.9);
}

TEST(Mode, RefreshIsClockDividedByTotals) {
  Mode mode;
  mode.clock_khz = 65'000;
  mode.htotal = 1344;
  mode.vtotal = 806;
  EXPECT_EQ(mode.refresh_millihertz(), 60'004U);
}

TEST(Mode, RefreshIsRoundedToNearest) {
  Mode mode;
  mode.clock_khz = 1;
  mode.htotal = 1000;
  mode.vtotal = 3;
  EXPECT_EQ(mode.refresh_millihertz(), 333U);
  mode.clock_khz = 2;
  EXPECT_EQ(mode.refresh_millihertz(), 667U);
}

TEST(Mode, IncompleteTimingHasNoRefresh) {
  Mode mode;
  mode.clock_khz = 65'000;
  mode.htotal = 1344;
  EXPECT_EQ(mode.refresh_millihertz(), 0U);
}

TEST(Mode, FramePeriodFollowsTiming) {
  Mode mode;
  mode.clock_khz = 1'000;
  mode.htotal = 100;
  mode.vtotal = 200;
  EXPECT_EQ(mode.frame_period(), std::chrono::milliseconds(20));
}

TEST(Mode, IncompleteTimingHasFramePeriodOf60Hz) {
  EXPECT_EQ(Mode{}.frame_period(), std::chrono::nanoseconds(16'666'666));
  Mode mode;
  mode.htotal = 100;
  mode.vtotal = 100;
  EXPECT_EQ(mode.frame_period(), std::chrono::nanoseconds(16'666'666));
}
