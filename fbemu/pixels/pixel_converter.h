#pragma once

#include <pixman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "fbemu/pixels/palette.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// Pixels in memory: the first one that is meant, and the way to the next line (a multiple of four bytes).
struct Pixels {
  std::byte* first = nullptr;
  uint32_t pitch_bytes = 0;
  pixman_format_code_t code = PIXMAN_x8r8g8b8;
};

/// A program's pixels: the byte where the first one begins, and with less than eight bits per pixel its place
/// in that byte, counted from the left.
struct ProgramPixels {
  const std::byte* first = nullptr;
  uint32_t pitch_bytes = 0;
  uint32_t first_pixel = 0;
};

/// Converts programs' pixels to those of a scan-out buffer with pixman. Used by one thread.
class PixelConverter {
 public:
  /// Copies width x height pixels of `format`; `palette` is that of make_palette(). Errors: ENOMEM.
  base::Result<void> convert(const ProgramPixels& from, const ProgramFormat& format, const Palette* palette,
                             const Pixels& to, uint32_t width, uint32_t height);

 private:
  [[nodiscard]] Pixels aligned(const ProgramPixels& from, const ProgramFormat& format, uint32_t width,
                               uint32_t height);
  static void map_colors(const Palette& palette, const Pixels& pixels, uint32_t width, uint32_t height);

  std::vector<std::byte> lines_;   ///< copies of lines that pixman cannot take as they are
  std::vector<std::byte> colors_;  ///< true colour on its way through a palette
  std::unique_ptr<pixman_indexed_t> indexed_;
};

/// An image over `pixels`, which has to outlive it; null where there is no memory for it.
struct ImageUnref {
  void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
};
using Image = std::unique_ptr<pixman_image_t, ImageUnref>;
[[nodiscard]] Image make_image(const Pixels& pixels, uint32_t width, uint32_t height);

}  // namespace fbemu
