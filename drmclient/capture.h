#pragma once

#include "drmclient/card.h"

namespace drmclient {

/// Reads the pixels of `buffer` inside `area` (which lies inside the buffer) as XRGB8888. Errors: those of
/// begin_access().
[[nodiscard]] Result<Capture> capture_buffer(ScanoutBuffer& buffer, const Rect& area);

/// The same of the pixels at `data`, which lie as those of `like` do. Errors: ENOMEM.
[[nodiscard]] Result<Capture> capture_pixels(std::byte* data, const ScanoutBuffer& like, const Rect& area);

}  // namespace drmclient
