#include "fbemu/color_map.h"

#include <algorithm>

namespace fbemu {
namespace {

// The 16 colours of a text console, from fbcmap.c's default_16_colors.
constexpr std::array<uint16_t, 16> console_red{0x0000, 0x0000, 0x0000, 0x0000, 0xaaaa, 0xaaaa,
                                               0xaaaa, 0xaaaa, 0x5555, 0x5555, 0x5555, 0x5555,
                                               0xffff, 0xffff, 0xffff, 0xffff};
constexpr std::array<uint16_t, 16> console_green{0x0000, 0x0000, 0xaaaa, 0xaaaa, 0x0000, 0x0000,
                                                 0x5555, 0xaaaa, 0x5555, 0x5555, 0xffff, 0xffff,
                                                 0x5555, 0x5555, 0xffff, 0xffff};
constexpr std::array<uint16_t, 16> console_blue{0x0000, 0xaaaa, 0x0000, 0xaaaa, 0x0000, 0xaaaa,
                                                0x0000, 0xaaaa, 0x5555, 0xffff, 0x5555, 0xffff,
                                                0x5555, 0xffff, 0x5555, 0xffff};

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

}  // namespace fbemu
