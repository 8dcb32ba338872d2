#pragma once

#include <pixman.h>

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "drmclient/pixel_format.h"

namespace fbemu {

/// The meaning of a pixel's value: fix.visual, with a value of its own for the grey ramp.
enum class Visual {
  mono,         ///< one bit, 1 is white (FB_VISUAL_MONO10)
  pseudocolor,  ///< an index into the colour map
  grayscale,    ///< a level of grey (var.grayscale is 1, FB_VISUAL_STATIC_PSEUDOCOLOR)
  truecolor,    ///< red, green and blue
  directcolor,  ///< red, green and blue, each an index into its channel of the colour map
};

/// The bits of one channel in a pixel's value; the offset is from the lowest bit (struct fb_bitfield).
struct Channel {
  uint32_t offset = 0;
  uint32_t length = 0;
  friend bool operator==(const Channel&, const Channel&) = default;
};

/// The format of a program's pixels. Values have the machine's byte order. At one bit per pixel, the leftmost
/// pixel of a byte is the highest bit, as in DRM_FORMAT_C1.
struct ProgramFormat {
  uint32_t bits_per_pixel = 32;
  Visual visual = Visual::truecolor;
  Channel red{16, 8};
  Channel green{8, 8};
  Channel blue{0, 8};
  Channel transp;
  pixman_format_code_t code = PIXMAN_x8r8g8b8;  ///< pixman's code for this format
  friend bool operator==(const ProgramFormat&, const ProgramFormat&) = default;

  /// Returns true if the colour map affects the colours shown.
  [[nodiscard]] bool uses_color_map() const {
    return visual == Visual::pseudocolor || visual == Visual::directcolor;
  }
  /// Returns the number of bytes of a line of `pixels`, without padding.
  [[nodiscard]] uint64_t line_bytes(uint64_t pixels) const { return (pixels * bits_per_pixel + 7) / 8; }
};

/// Returns the scan-out format with the same bytes for the same picture, or nothing if there is none.
[[nodiscard]] std::optional<drmclient::PixelFormat> scanout_equivalent(const ProgramFormat& format);

/// Returns the default format for `depth` bits per pixel: 1, 2 to 8 (colour map), 9 to 15 (RGB555), 16
/// (RGB565), 17 to 24, 25 to 32. Errors: EINVAL for 0 and for more than 32.
[[nodiscard]] base::Result<ProgramFormat> format_of_depth(uint32_t depth);

/// Returns the bits per pixel in memory for `depth`: 1, 8, 16, 24 or 32; 0 if no format has that depth.
[[nodiscard]] uint32_t round_up_depth(uint32_t depth);

/// Returns every format that programs can have. The first of each depth is the default for that depth.
[[nodiscard]] std::span<const ProgramFormat> program_formats();

}  // namespace fbemu
