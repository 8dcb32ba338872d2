#pragma once

#include <linux/fb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fbemu/fbdev/color_map.h"
#include "fbemu/fbdev/var_format.h"
#include "fbemu/pixels/program_format.h"
#include "tests/support/reference_pixels.h"

namespace unit {

/// Returns the value of the pixel at `x` in the line at `bytes`, which is little-endian. For fewer than 8
/// bits per pixel, the leftmost pixel of a byte is in its highest bits.
inline uint32_t program_value(const fbemu::ProgramFormat& format, const std::byte* bytes, uint64_t x) {
  const uint64_t bits = format.bits_per_pixel;
  if (bits < 8) {
    const uint64_t place = x * bits % 8;
    return std::to_integer<uint32_t>(bytes[x * bits / 8]) >> (8 - bits - place) & ((1U << bits) - 1);
  }
  uint32_t value = 0;
  for (uint64_t i = 0; i < bits / 8; ++i)
    value |= std::to_integer<uint32_t>(bytes[x * bits / 8 + i]) << (8 * i);
  return value;
}

/// Returns the colour of a pixel's value as XRGB8888, by the definition of struct fb_bitfield.
inline uint32_t program_color(const fbemu::ProgramFormat& format, uint32_t value,
                              const fbemu::ColorMap& map) {
  const auto channel = [&](const fbemu::Channel& bits) {
    return value >> bits.offset & static_cast<uint32_t>((uint64_t{1} << bits.length) - 1);
  };
  const auto rgb = [](uint32_t red, uint32_t green, uint32_t blue) { return red << 16 | green << 8 | blue; };
  switch (format.visual) {
    case fbemu::Visual::mono:
      return value != 0 ? 0xffffffU : 0U;
    case fbemu::Visual::grayscale:
      return rgb(value, value, value);
    case fbemu::Visual::pseudocolor:
      return rgb(map.red().at(value) >> 8U, map.green().at(value) >> 8U, map.blue().at(value) >> 8U);
    case fbemu::Visual::directcolor:
      return rgb(map.red().at(channel(format.red)) >> 8U, map.green().at(channel(format.green)) >> 8U,
                 map.blue().at(channel(format.blue)) >> 8U);
    case fbemu::Visual::truecolor:
      break;
  }
  return rgb(widen(channel(format.red), format.red.length), widen(channel(format.green), format.green.length),
             widen(channel(format.blue), format.blue.length));
}

/// Makes a colour map in which every entry differs from its neighbours.
inline fbemu::ColorMap some_color_map() {
  std::array<std::vector<uint16_t>, 3> channels;
  for (uint32_t i = 0; i < fbemu::ColorMap::entries; ++i) {
    channels[0].push_back(static_cast<uint16_t>(i * 40'503U));
    channels[1].push_back(static_cast<uint16_t>(i * 25'000U + 7'000U));
    channels[2].push_back(static_cast<uint16_t>(65'535U - i * 251U));
  }
  fbemu::ColorMap map;
  map.store(0, channels[0], channels[1], channels[2]);
  return map;
}

/// Returns one format of each kind that programs can request in a var.
inline std::vector<fbemu::ProgramFormat> program_formats() {
  std::vector<fbemu::ProgramFormat> formats;
  const auto add = [&](uint32_t bits, fb_bitfield red, fb_bitfield green, fb_bitfield blue,
                       bool direct = false, uint32_t grayscale = 0) {
    fb_var_screeninfo var{};
    var.bits_per_pixel = bits;
    var.grayscale = grayscale;
    var.red = red;
    var.green = green;
    var.blue = blue;
    formats.push_back(*fbemu::choose_format(var, {}, direct));
  };
  add(1, {}, {}, {});
  add(8, {}, {}, {});
  add(8, {}, {}, {}, false, 1);
  add(8, {5, 3, 0}, {2, 3, 0}, {0, 2, 0});
  add(15, {}, {}, {});
  add(16, {}, {}, {});
  add(16, {}, {}, {}, true);
  add(16, {0, 5, 0}, {5, 6, 0}, {11, 5, 0});
  add(16, {8, 4, 0}, {4, 4, 0}, {0, 4, 0});
  add(24, {}, {}, {});
  add(24, {0, 8, 0}, {8, 8, 0}, {16, 8, 0});
  add(32, {}, {}, {});
  add(32, {}, {}, {}, true);
  add(32, {0, 8, 0}, {8, 8, 0}, {16, 8, 0});
  add(32, {24, 8, 0}, {16, 8, 0}, {8, 8, 0});
  add(32, {8, 8, 0}, {16, 8, 0}, {24, 8, 0});
  return formats;
}

}  // namespace unit
