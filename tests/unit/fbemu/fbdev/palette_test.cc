#include "fbemu/fbdev/color_map.h"

#include <gtest/gtest.h>

#include "fbemu/fbdev/var_format.h"
#include "tests/support/reference_program_pixels.h"

using fbemu::ColorMap;
using fbemu::make_palette;
using fbemu::make_ramp;
using fbemu::ProgramFormat;
using fbemu::Visual;

namespace {

ProgramFormat direct(uint32_t bits) {
  fb_var_screeninfo var{};
  var.bits_per_pixel = bits;
  return *fbemu::choose_format(var, {}, true);
}

}  // namespace

TEST(Palette, TrueColourHasNone) {
  EXPECT_EQ(make_palette({}, {}), nullptr);
}

TEST(Palette, MapEntryGivesItsUpperEightBits) {
  ColorMap map;
  const std::array<uint16_t, 1> red{0x12ff};
  const std::array<uint16_t, 1> green{0x3400};
  const std::array<uint16_t, 1> blue{0xfffe};
  map.store(200, red, green, blue);
  EXPECT_EQ(make_palette(*fbemu::format_of_depth(8), map)->colors[200], 0xff12'34ffU);
}

TEST(Palette, OneBitIsBlackAndWhiteForAnyMap) {
  const auto palette = make_palette(*fbemu::format_of_depth(1), unit::some_color_map());
  EXPECT_EQ(palette->colors[0], 0xff00'0000U);
  EXPECT_EQ(palette->colors[1], 0xffff'ffffU);
}

TEST(Palette, RampKeepsColours) {
  for (const uint32_t bits : {15U, 16U, 24U, 32U}) {
    const ProgramFormat format = direct(bits);
    const auto palette = make_palette(format, make_ramp(format));
    for (uint32_t value = 0; value < 256; ++value) {
      const uint32_t spare = 8 - format.green.length;
      const uint32_t wide = unit::widen(value >> spare, format.green.length);
      EXPECT_EQ(palette->green.at(value), wide) << bits;
    }
  }
}
