#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// What an output shows at one moment, as XRGB8888 (the X byte is 0), lines packed.
struct Capture {
  Size size;                     ///< of the mode
  std::vector<uint32_t> pixels;  ///< line by line from the top, size.area() of them
};

/// Reads the pixels of `buffer` inside `area` (which lies inside the buffer) as XRGB8888. Errors: those of
/// begin_access().
[[nodiscard]] base::Result<Capture> capture_buffer(ScanoutBuffer& buffer, const Rect& area);

/// The same of the pixels at `data`, which lie as those of `like` do. Errors: ENOMEM.
[[nodiscard]] base::Result<Capture> capture_pixels(std::byte* data, const ScanoutBuffer& like,
                                                   const Rect& area);

}  // namespace drmclient
