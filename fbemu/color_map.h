#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace fbemu {

/// The 256-entry colour map of a framebuffer, as FBIOGETCMAP and FBIOPUTCMAP see it (fb_alloc_cmap() and
/// fb_set_cmap() in drivers/video/fbdev/core/fbcmap.c). At the start entries 0..15 are the 16 console
/// colours, the others 0.
class ColorMap {
 public:
  static constexpr uint32_t entries = 256;

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

}  // namespace fbemu
