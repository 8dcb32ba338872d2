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

/// Required alignment of a line for pixman, in bytes.
inline constexpr uint32_t pixman_alignment = 4;

/// Returns the pitch in bytes for lines of `line_bytes`, aligned for pixman.
[[nodiscard]] constexpr uint32_t pixman_pitch(uint64_t line_bytes) {
  return static_cast<uint32_t>((line_bytes + pixman_alignment - 1) / pixman_alignment * pixman_alignment);
}

/// Pixels in memory. The pitch is a multiple of pixman_alignment.
struct Pixels {
  std::byte* first = nullptr;  ///< the pixel at the top left
  uint32_t pitch_bytes = 0;
  pixman_format_code_t code = PIXMAN_x8r8g8b8;
};

/// A program's pixels.
struct ProgramPixels {
  const std::byte* first = nullptr;  ///< the byte in which the first pixel begins
  uint32_t pitch_bytes = 0;
  uint32_t first_pixel = 0;  ///< its index in that byte, from the left, for fewer than 8 bits per pixel
};

/// Converts a program's pixels to the format of a scan-out buffer with pixman. Not thread-safe.
class PixelConverter {
 public:
  /// Copies width x height pixels of `format`; `palette` comes from make_palette(). Errors: ENOMEM.
  base::Result<void> convert(const ProgramPixels& from, const ProgramFormat& format, const Palette* palette,
                             const Pixels& to, uint32_t width, uint32_t height);

 private:
  [[nodiscard]] Pixels aligned(const ProgramPixels& from, const ProgramFormat& format, uint32_t width,
                               uint32_t height);
  static void map_colors(const Palette& palette, const Pixels& pixels, uint32_t width, uint32_t height);

  std::vector<std::byte> lines_;   ///< aligned copies of lines that pixman cannot read in place
  std::vector<std::byte> colors_;  ///< pixels as XRGB8888, before a directcolor palette is applied
  std::unique_ptr<pixman_indexed_t> indexed_;
};

/// Deleter of Image.
struct ImageUnref {
  void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
};
using Image = std::unique_ptr<pixman_image_t, ImageUnref>;
/// Makes an image over `pixels`, which must outlive the image. Returns null if memory is short.
[[nodiscard]] Image make_image(const Pixels& pixels, uint32_t width, uint32_t height);

}  // namespace fbemu
