#pragma once

#include "drmclient/card.h"

namespace drmclient {

/// Reads the pixels of `buffer` inside `area` (which lies inside the buffer) as XRGB8888. Errors: those of
/// begin_access().
[[nodiscard]] Result<Capture> capture_buffer(ScanoutBuffer& buffer, const Rect& area);

}  // namespace drmclient
