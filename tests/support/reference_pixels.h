#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "drmclient/pixel_format.h"

namespace unit {

inline constexpr std::array all_formats{drmclient::PixelFormat::xrgb8888, drmclient::PixelFormat::argb8888,
                                        drmclient::PixelFormat::bgrx8888, drmclient::PixelFormat::rgb888,
                                        drmclient::PixelFormat::rgb565,   drmclient::PixelFormat::xrgb1555};

/// Widens a channel of `bits` bits (1 to 8) to 8 bits by repeating its bits.
inline uint32_t widen(uint32_t value, unsigned bits) {
  uint32_t wide = 0;
  for (int shift = 8 - static_cast<int>(bits); shift > -static_cast<int>(bits);
       shift -= static_cast<int>(bits)) {
    wide |= shift >= 0 ? value << shift : value >> -shift;
  }
  return wide;
}

/// Decodes the pixel at `bytes` to XRGB8888 with an X byte of 0, as drm_fourcc.h defines the formats.
inline uint32_t decode(drmclient::PixelFormat format, const std::byte* bytes) {
  const auto at = [&](size_t i) { return std::to_integer<uint32_t>(bytes[i]); };
  const uint32_t half = at(0) | at(1) << 8;
  switch (format) {
    case drmclient::PixelFormat::xrgb8888:
    case drmclient::PixelFormat::argb8888:
    case drmclient::PixelFormat::rgb888:
      return at(2) << 16 | at(1) << 8 | at(0);
    case drmclient::PixelFormat::bgrx8888:
      return at(1) << 16 | at(2) << 8 | at(3);
    case drmclient::PixelFormat::rgb565:
      return widen(half >> 11, 5) << 16 | widen(half >> 5 & 0x3f, 6) << 8 | widen(half & 0x1f, 5);
    case drmclient::PixelFormat::xrgb1555:
      return widen(half >> 10 & 0x1f, 5) << 16 | widen(half >> 5 & 0x1f, 5) << 8 | widen(half & 0x1f, 5);
  }
  return 0;
}

/// Returns an XRGB8888 pixel after a round trip through `format`.
inline uint32_t rounded_to(drmclient::PixelFormat format, uint32_t pixel) {
  const uint32_t red = pixel >> 16 & 0xff;
  const uint32_t green = pixel >> 8 & 0xff;
  const uint32_t blue = pixel & 0xff;
  switch (format) {
    case drmclient::PixelFormat::rgb565:
      return widen(red >> 3, 5) << 16 | widen(green >> 2, 6) << 8 | widen(blue >> 3, 5);
    case drmclient::PixelFormat::xrgb1555:
      return widen(red >> 3, 5) << 16 | widen(green >> 3, 5) << 8 | widen(blue >> 3, 5);
    default:
      return pixel & 0xffffff;
  }
}

/// Returns `count` pseudo-random bytes that depend only on `seed`.
inline std::vector<std::byte> noise(size_t count, uint64_t seed) {
  std::vector<std::byte> bytes(count);
  uint64_t state = seed * 2 + 1;
  for (std::byte& byte : bytes) {
    state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    byte = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

}  // namespace unit
