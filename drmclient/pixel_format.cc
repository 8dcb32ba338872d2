#include "drmclient/pixel_format.h"

#include <drm_fourcc.h>

namespace drmclient {

static_assert(static_cast<uint32_t>(PixelFormat::xrgb8888) == DRM_FORMAT_XRGB8888);
static_assert(static_cast<uint32_t>(PixelFormat::argb8888) == DRM_FORMAT_ARGB8888);
static_assert(static_cast<uint32_t>(PixelFormat::bgrx8888) == DRM_FORMAT_BGRX8888);
static_assert(static_cast<uint32_t>(PixelFormat::rgb888) == DRM_FORMAT_RGB888);
static_assert(static_cast<uint32_t>(PixelFormat::rgb565) == DRM_FORMAT_RGB565);
static_assert(static_cast<uint32_t>(PixelFormat::xrgb1555) == DRM_FORMAT_XRGB1555);

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
