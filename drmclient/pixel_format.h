#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drmclient {

/// Returns the code of four characters, as fourcc_code() of drm_fourcc.h does.
[[nodiscard]] constexpr uint32_t fourcc(char a, char b, char c, char d) {
  const auto byte = [](char letter, unsigned shift) {
    return uint32_t{static_cast<uint8_t>(letter)} << shift;
  };
  return byte(a, 0) | byte(b, 8) | byte(c, 16) | byte(d, 24);
}

/// The formats of primary planes that the library supports: the DRM_FORMAT_* codes of drm_fourcc.h under
/// their names. A pixel is little endian in memory.
enum class PixelFormat : uint32_t {
  xrgb8888 = fourcc('X', 'R', '2', '4'),  ///< XR24
  argb8888 = fourcc('A', 'R', '2', '4'),  ///< AR24
  bgrx8888 = fourcc('B', 'X', '2', '4'),  ///< BX24
  rgb888 = fourcc('R', 'G', '2', '4'),    ///< RG24
  rgb565 = fourcc('R', 'G', '1', '6'),    ///< RG16
  xrgb1555 = fourcc('X', 'R', '1', '5'),  ///< XR15
};

/// Returns the bytes of one pixel in memory; 0 for a value outside the enumeration.
[[nodiscard]] uint32_t bytes_per_pixel(PixelFormat format);

/// Returns the four characters of the code, e.g. "XR24".
[[nodiscard]] std::string fourcc_name(PixelFormat format);

/// Returns the format with the four characters `fourcc`; nothing if the enumeration has none.
[[nodiscard]] std::optional<PixelFormat> format_named(std::string_view fourcc);

}  // namespace drmclient
