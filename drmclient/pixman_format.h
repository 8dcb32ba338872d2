#pragma once

#include <pixman.h>

#include "drmclient/pixel_format.h"

namespace drmclient {

/// Returns pixman's code of `format`. pixman lists the channels of a pixel from the highest bit, as
/// little-endian fourcc names do.
[[nodiscard]] constexpr pixman_format_code_t pixman_format(PixelFormat format) {
  switch (format) {
    case PixelFormat::xrgb8888:
      return PIXMAN_x8r8g8b8;
    case PixelFormat::argb8888:
      return PIXMAN_a8r8g8b8;
    case PixelFormat::bgrx8888:
      return PIXMAN_b8g8r8x8;
    case PixelFormat::rgb888:
      return PIXMAN_r8g8b8;
    case PixelFormat::rgb565:
      return PIXMAN_r5g6b5;
    case PixelFormat::xrgb1555:
      return PIXMAN_x1r5g5b5;
  }
  return PIXMAN_x8r8g8b8;
}

}  // namespace drmclient
