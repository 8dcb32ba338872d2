#include "fbemu/fbdev/color_map.h"

#include <algorithm>
#include <span>
#include <vector>

namespace fbemu {
namespace {

// The 16 colours of the text console: default_16_colors in fbcmap.c.
constexpr std::array<uint16_t, 16> console_red{0x0000, 0x0000, 0x0000, 0x0000, 0xaaaa, 0xaaaa,
                                               0xaaaa, 0xaaaa, 0x5555, 0x5555, 0x5555, 0x5555,
                                               0xffff, 0xffff, 0xffff, 0xffff};
constexpr std::array<uint16_t, 16> console_green{0x0000, 0x0000, 0xaaaa, 0xaaaa, 0x0000, 0x0000,
                                                 0x5555, 0xaaaa, 0x5555, 0x5555, 0xffff, 0xffff,
                                                 0x5555, 0x5555, 0xffff, 0xffff};
constexpr std::array<uint16_t, 16> console_blue{0x0000, 0xaaaa, 0x0000, 0xaaaa, 0x0000, 0xaaaa,
                                                0x0000, 0xaaaa, 0x5555, 0xffff, 0x5555, 0xffff,
                                                0x5555, 0xffff, 0x5555, 0xffff};

constexpr uint32_t opaque = 0xff00'0000;
constexpr uint32_t white = 0xffff'ffff;
constexpr uint32_t most_bits = 8;

uint32_t rgb(uint32_t red, uint32_t green, uint32_t blue) {
  return opaque | red << 16 | green << 8 | blue;
}

void fill_channel(std::array<uint8_t, ColorMap::entries>& table, const Channel& channel,
                  const std::array<uint16_t, ColorMap::entries>& map) {
  // pixman widens a channel by repeating its bits, so the upper bits are the index.
  const uint32_t spare_bits = channel.length < most_bits ? most_bits - channel.length : 0;
  for (uint32_t value = 0; value < table.size(); ++value) {
    table[value] = static_cast<uint8_t>(map.at(value >> spare_bits) >> 8);
  }
}

/// Scales `value` from `bits` bits to 16.
uint16_t widen(uint32_t value, uint32_t bits) {
  const uint32_t most = (1U << bits) - 1;
  return static_cast<uint16_t>((value * 0xffffU + most / 2) / most);
}

}  // namespace

ColorMap::ColorMap() {
  std::ranges::copy(console_red, red_.begin());
  std::ranges::copy(console_green, green_.begin());
  std::ranges::copy(console_blue, blue_.begin());
}

void ColorMap::store(uint32_t start, std::span<const uint16_t> red, std::span<const uint16_t> green,
                     std::span<const uint16_t> blue) {
  if (start >= entries) return;
  const size_t count = std::min<size_t>(red.size(), entries - start);
  std::copy_n(red.begin(), count, red_.begin() + start);
  std::copy_n(green.begin(), count, green_.begin() + start);
  std::copy_n(blue.begin(), count, blue_.begin() + start);
}

std::shared_ptr<const Palette> make_palette(const ProgramFormat& format, const ColorMap& map) {
  if (format.visual == Visual::truecolor) return nullptr;
  auto palette = std::make_shared<Palette>();
  switch (format.visual) {
    case Visual::mono:
      palette->colors[0] = opaque;
      palette->colors[1] = white;
      break;
    case Visual::grayscale:
      for (uint32_t level = 0; level < ColorMap::entries; ++level)
        palette->colors.at(level) = rgb(level, level, level);
      break;
    case Visual::pseudocolor:
      for (uint32_t i = 0; i < ColorMap::entries; ++i) {
        palette->colors.at(i) = rgb(map.red().at(i) >> 8U, map.green().at(i) >> 8U, map.blue().at(i) >> 8U);
      }
      break;
    case Visual::directcolor:
    case Visual::truecolor:
      fill_channel(palette->red, format.red, map.red());
      fill_channel(palette->green, format.green, map.green());
      fill_channel(palette->blue, format.blue, map.blue());
      break;
  }
  return palette;
}

ColorMap make_ramp(const ProgramFormat& format) {
  const auto ramp = [](const Channel& channel) {
    const uint32_t bits = channel.length < most_bits ? channel.length : most_bits;
    std::vector<uint16_t> values;
    for (uint32_t value = 0; value < 1U << bits; ++value) values.push_back(widen(value, bits));
    values.resize(ColorMap::entries, 0);
    return values;
  };
  ColorMap map;
  map.store(0, ramp(format.red), ramp(format.green), ramp(format.blue));
  return map;
}

}  // namespace fbemu
