#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "tests/support/faulty_card.h"

namespace unit {

/// A headless card that shows a buffer of 32x24 pixels in a mode of 16x12.
struct EnabledCard {
  explicit EnabledCard(FaultyOptions options = {}) : card(std::move(options)) {
    auto created = card.create_buffer({32, 24}, drmclient::PixelFormat::xrgb8888);
    EXPECT_TRUE(created.has_value());
    buffer = std::move(*created);
    EXPECT_TRUE(output.set_mode(mode, *buffer, {}).has_value());
  }

  /// Sets one pixel of `target` without presenting it.
  static void set_pixel(drmclient::ScanoutBuffer& target, uint32_t x, uint32_t y, uint32_t pixel) {
    const auto access = target.begin_access(drmclient::AccessMode::write);
    ASSERT_TRUE(access.has_value());
    std::memcpy(access->row(y).data() + size_t{x} * sizeof pixel, &pixel, sizeof pixel);
  }
  void set_pixel(uint32_t x, uint32_t y, uint32_t pixel) { set_pixel(*buffer, x, y, pixel); }

  /// Returns the pixel that the screen shows at (x, y).
  [[nodiscard]] uint32_t shown(uint32_t x, uint32_t y) {
    const auto capture = output.capture();
    EXPECT_TRUE(capture.has_value());
    return capture->pixels.at(size_t{y} * capture->size.width + x);
  }

  FaultyCard card;
  FaultyOutput& output = card.output();
  drmclient::Mode mode = drmclient::make_mode({16, 12});
  std::unique_ptr<drmclient::ScanoutBuffer> buffer;
};

inline FaultyOptions strict_display() {
  FaultyOptions options;
  options.strict_display = true;
  options.moving_mappings = true;
  return options;
}

}  // namespace unit
