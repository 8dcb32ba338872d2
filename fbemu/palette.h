#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "fbemu/color_map.h"
#include "fbemu/program_format.h"

namespace fbemu {

/// What a colour map, or a fixed set of colours, makes of a pixel's value; does not change once it is made.
struct Palette {
  /// For an index (pseudocolor, grayscale, mono): opaque colours, 8 bits a channel, as PIXMAN_a8r8g8b8.
  std::array<uint32_t, ColorMap::entries> colors{};
  /// For directcolor: what each channel, widened to 8 bits, becomes.
  std::array<uint8_t, ColorMap::entries> red{};
  std::array<uint8_t, ColorMap::entries> green{};
  std::array<uint8_t, ColorMap::entries> blue{};
};

/// The palette that pixels of `format` are shown with; null for true colour, which needs none. A channel of n
/// bits of a directcolor format is an index of n bits into its part of the map, as in fbdev's drivers
/// (fb_setcolreg); of the map's 16 bits the upper 8 count.
[[nodiscard]] std::shared_ptr<const Palette> make_palette(const ProgramFormat& format, const ColorMap& map);

/// The colour map that a program finds where colours go through it from the start (directcolor): a ramp.
[[nodiscard]] ColorMap make_ramp(const ProgramFormat& format);

}  // namespace fbemu
