#pragma once

#include <pixman.h>

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "drmclient/pixel_format.h"

namespace fbemu {

/// What a pixel's value means: fix.visual, and a grey ramp apart from the fixed palettes.
enum class Visual {
  mono,         ///< one bit, 1 is white: FB_VISUAL_MONO10
  pseudocolor,  ///< an index into the colour map
  grayscale,    ///< a level of grey: var.grayscale is 1, FB_VISUAL_STATIC_PSEUDOCOLOR
  truecolor,    ///< red, green and blue
  directcolor,  ///< red, green and blue, each an index into its part of the colour map
};

/// Bits of one channel in a pixel's value: the offset counts from the lowest bit (struct fb_bitfield).
struct Channel {
  uint32_t offset = 0;
  uint32_t length = 0;
  friend bool operator==(const Channel&, const Channel&) = default;
};

/// How a program's pixels lie in memory. Values have the byte order of the machine; with one bit per pixel
/// the leftmost of a byte is the highest, as in DRM_FORMAT_C1.
struct ProgramFormat {
  uint32_t bits_per_pixel = 32;
  Visual visual = Visual::truecolor;
  Channel red{16, 8};
  Channel green{8, 8};
  Channel blue{0, 8};
  Channel transp;
  pixman_format_code_t code = PIXMAN_x8r8g8b8;  ///< the same in pixman's terms
  friend bool operator==(const ProgramFormat&, const ProgramFormat&) = default;

  /// Whether what is shown depends on the colour map.
  [[nodiscard]] bool uses_color_map() const {
    return visual == Visual::pseudocolor || visual == Visual::directcolor;
  }
  /// The bytes of a line of `pixels`, without padding.
  [[nodiscard]] uint64_t line_bytes(uint64_t pixels) const { return (pixels * bits_per_pixel + 7) / 8; }
};

/// The scan-out format that has the same bytes for the same picture; nothing where there is none.
[[nodiscard]] std::optional<drmclient::PixelFormat> scanout_equivalent(const ProgramFormat& format);

/// The format for `depth` bits per pixel where nothing more is said: 1, 2 to 8 (colour map), 9 to 15 (5, 5
/// and 5 bits), 16 (5, 6, 5), 17 to 24, 25 to 32. Errors: EINVAL for 0 and for more than 32.
[[nodiscard]] base::Result<ProgramFormat> format_of_depth(uint32_t depth);

/// Returns the bits per pixel in memory for `depth`: 1, 8, 16, 24 or 32; 0 if no format has that depth.
[[nodiscard]] uint32_t round_up_depth(uint32_t depth);

/// Returns every format that programs can have. The first of each depth is the default for that depth.
[[nodiscard]] std::span<const ProgramFormat> program_formats();

}  // namespace fbemu
