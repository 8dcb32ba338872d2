#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drmclient {

/// A DRM fourcc code (drm_fourcc.h), little endian in memory, for the formats that a primary plane here may
/// have.
enum class PixelFormat : uint32_t {
  xrgb8888 = 0x34325258,  ///< XR24
  argb8888 = 0x34325241,  ///< AR24
  bgrx8888 = 0x34325842,  ///< BX24
  rgb888 = 0x34324752,    ///< RG24
  rgb565 = 0x36314752,    ///< RG16
  xrgb1555 = 0x35315258,  ///< XR15
};

/// Bytes that one pixel takes in memory; 0 for a value outside the enumeration.
[[nodiscard]] uint32_t bytes_per_pixel(PixelFormat format);

/// The four characters of the code, e.g. "XR24".
[[nodiscard]] std::string fourcc_name(PixelFormat format);

/// The format of that name; nothing for one that is not in the enumeration.
[[nodiscard]] std::optional<PixelFormat> format_named(std::string_view fourcc);

}  // namespace drmclient
