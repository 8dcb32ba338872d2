#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "fbemu/pixels/palette.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// The 256-entry colour map of a framebuffer, as FBIOGETCMAP and FBIOPUTCMAP see it (fb_alloc_cmap() and
/// fb_set_cmap() in drivers/video/fbdev/core/fbcmap.c). At the start entries 0..15 are the 16 console
/// colours, the others 0.
class ColorMap {
 public:
  static constexpr uint32_t entries = Palette::entries;

  ColorMap();

  [[nodiscard]] const std::array<uint16_t, entries>& red() const { return red_; }
  [[nodiscard]] const std::array<uint16_t, entries>& green() const { return green_; }
  [[nodiscard]] const std::array<uint16_t, entries>& blue() const { return blue_; }

  /// Stores entries from `start` on (start < 2^31); those beyond the map are dropped. The three have the same
  /// length.
  void store(uint32_t start, std::span<const uint16_t> red, std::span<const uint16_t> green,
             std::span<const uint16_t> blue);

 private:
  std::array<uint16_t, entries> red_{};
  std::array<uint16_t, entries> green_{};
  std::array<uint16_t, entries> blue_{};
};

/// The palette that pixels of `format` are shown with; null for true colour, which needs none. A channel of n
/// bits of a directcolor format is an index of n bits into its part of the map, as in fbdev's drivers
/// (fb_setcolreg); of the map's 16 bits the upper 8 count.
[[nodiscard]] std::shared_ptr<const Palette> make_palette(const ProgramFormat& format, const ColorMap& map);

/// The colour map that a program finds where colours go through it from the start (directcolor): a ramp.
[[nodiscard]] ColorMap make_ramp(const ProgramFormat& format);

}  // namespace fbemu
