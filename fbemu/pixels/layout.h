#pragma once

#include <cstdint>
#include <span>

#include "drmclient/geometry.h"
#include "fbemu/damage/byte_range.h"
#include "fbemu/damage/region.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {

/// How the program's pixels lie in its memory.
struct Layout {
  ProgramFormat format;
  uint32_t pitch_bytes = 0;      ///< fix.line_length; at least one pixel
  drmclient::Size virtual_size;  ///< var.xres_virtual x var.yres_virtual
  friend bool operator==(const Layout&, const Layout&) = default;

  /// The bytes of whole lines `y1` <= y < `y2`.
  [[nodiscard]] ByteRange lines(uint64_t y1, uint64_t y2) const {
    return {y1 * pitch_bytes, y2 * pitch_bytes};
  }
};

/// The pixels of a part of the virtual screen that have a bit in one of `ranges`, relative to the part's
/// corner `from`. A virtual screen may have more lines or columns than a Region; `size` must not. Bytes
/// behind the end of a line's pixels and behind the last line belong to no pixel.
[[nodiscard]] Region pixels_in(std::span<const ByteRange> ranges, const Layout& layout, drmclient::Point from,
                               drmclient::Size size);

}  // namespace fbemu
