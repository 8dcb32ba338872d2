#pragma once

#include <cstdint>
#include <span>

#include "drmclient/geometry.h"
#include "fbemu/damage/byte_range.h"
#include "fbemu/damage/region.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// The layout of the program's pixels in the framebuffer's memory.
struct Layout {
  ProgramFormat format;
  uint32_t pitch_bytes = 0;      ///< fix.line_length; at least one pixel
  drmclient::Size virtual_size;  ///< var.xres_virtual x var.yres_virtual
  friend bool operator==(const Layout&, const Layout&) = default;

  /// Returns the bytes of the whole lines `y1` <= y < `y2`.
  [[nodiscard]] ByteRange lines(uint64_t y1, uint64_t y2) const {
    return {y1 * pitch_bytes, y2 * pitch_bytes};
  }
};

/// Returns the pixels that have a bit in one of `ranges`, in the part of the virtual screen with corner
/// `from` and size `size`. Coordinates are relative to `from`. The virtual screen may have more lines or
/// columns than a Region can hold, but `size` may not. Bytes after a line's pixels and after the last line
/// belong to no pixel.
[[nodiscard]] Region pixels_in(std::span<const ByteRange> ranges, const Layout& layout, drmclient::Point from,
                               drmclient::Size size);

}  // namespace fbemu
