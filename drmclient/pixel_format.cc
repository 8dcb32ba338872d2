#include "drmclient/pixel_format.h"

namespace drmclient {

uint32_t bytes_per_pixel(PixelFormat format) {
  switch (format) {
    case PixelFormat::xrgb8888:
    case PixelFormat::argb8888:
    case PixelFormat::bgrx8888:
      return 4;
    case PixelFormat::rgb888:
      return 3;
    case PixelFormat::rgb565:
    case PixelFormat::xrgb1555:
      return 2;
  }
  return 0;
}

std::string fourcc_name(PixelFormat format) {
  const auto code = static_cast<uint32_t>(format);
  std::string name;
  for (unsigned shift = 0; shift < 32; shift += 8) name += static_cast<char>((code >> shift) & 0xff);
  return name;
}

std::optional<PixelFormat> format_named(std::string_view fourcc) {
  for (const PixelFormat format : {PixelFormat::xrgb8888, PixelFormat::argb8888, PixelFormat::bgrx8888,
                                   PixelFormat::rgb888, PixelFormat::rgb565, PixelFormat::xrgb1555}) {
    if (fourcc_name(format) == fourcc) return format;
  }
  return std::nullopt;
}

}  // namespace drmclient
