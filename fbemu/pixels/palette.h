#pragma once

#include <array>
#include <cstdint>

namespace fbemu {

/// An immutable table that maps pixel values to colours, made from a colour map or a fixed set of colours.
struct Palette {
  static constexpr uint32_t entries = 256;

  /// Opaque colours by index (pseudocolor, grayscale, mono), as PIXMAN_a8r8g8b8.
  std::array<uint32_t, entries> colors{};
  /// Values of each channel for directcolor, indexed by the channel widened to 8 bits.
  std::array<uint8_t, entries> red{};
  std::array<uint8_t, entries> green{};
  std::array<uint8_t, entries> blue{};
};

}  // namespace fbemu
