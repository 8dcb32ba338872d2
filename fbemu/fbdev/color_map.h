#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "fbemu/pixels/palette.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// The 256-entry colour map of a framebuffer, which FBIOGETCMAP and FBIOPUTCMAP access (fb_alloc_cmap() and
/// fb_set_cmap() in drivers/video/fbdev/core/fbcmap.c). Initially, entries 0 to 15 are the 16 console colours
/// and all others are 0.
class ColorMap {
 public:
  static constexpr uint32_t entries = Palette::entries;

  ColorMap();

  [[nodiscard]] const std::array<uint16_t, entries>& red() const { return red_; }
  [[nodiscard]] const std::array<uint16_t, entries>& green() const { return green_; }
  [[nodiscard]] const std::array<uint16_t, entries>& blue() const { return blue_; }

  /// Stores entries from `start` on (start < 2^31). Entries beyond the map are dropped. The channels must
  /// have the same length.
  void store(uint32_t start, std::span<const uint16_t> red, std::span<const uint16_t> green,
             std::span<const uint16_t> blue);

 private:
  std::array<uint16_t, entries> red_{};
  std::array<uint16_t, entries> green_{};
  std::array<uint16_t, entries> blue_{};
};

/// Makes the palette for pixels of `format`; null for true colour, which needs none. In a directcolor format,
/// an n-bit channel is an n-bit index into its channel of the map, as in fbdev's drivers (fb_setcolreg). Only
/// the upper 8 bits of a map entry count.
[[nodiscard]] std::shared_ptr<const Palette> make_palette(const ProgramFormat& format, const ColorMap& map);

/// Makes the initial colour map of a directcolor format: a linear ramp, which leaves colours unchanged.
[[nodiscard]] ColorMap make_ramp(const ProgramFormat& format);

}  // namespace fbemu
