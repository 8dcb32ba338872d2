#pragma once

#include <array>
#include <cstdint>

namespace fbemu {

/// What a colour map, or a fixed set of colours, makes of a pixel's value; does not change once it is made.
struct Palette {
  static constexpr uint32_t entries = 256;

  /// For an index (pseudocolor, grayscale, mono): opaque colours, 8 bits a channel, as PIXMAN_a8r8g8b8.
  std::array<uint32_t, entries> colors{};
  /// For directcolor: what each channel, widened to 8 bits, becomes.
  std::array<uint8_t, entries> red{};
  std::array<uint8_t, entries> green{};
  std::array<uint8_t, entries> blue{};
};

}  // namespace fbemu
