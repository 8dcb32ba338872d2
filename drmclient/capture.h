#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// The pixels that an output shows at one moment, as XRGB8888 (the X byte is 0) without padding between
/// lines.
struct Capture {
  Size size;                     ///< size of the mode
  std::vector<uint32_t> pixels;  ///< line by line from the top; size.area() pixels
};

/// Reads the pixels of `buffer` inside `area`, which lies inside the buffer, as XRGB8888. Errors: those of
/// begin_access().
[[nodiscard]] base::Result<Capture> capture_buffer(ScanoutBuffer& buffer, const Rect& area);

/// Reads the pixels at `data`, which have the size, format and pitch of `like`, as capture_buffer() does.
/// Errors: ENOMEM.
[[nodiscard]] base::Result<Capture> capture_pixels(std::byte* data, const ScanoutBuffer& like,
                                                   const Rect& area);

}  // namespace drmclient
