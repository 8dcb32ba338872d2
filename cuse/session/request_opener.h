#pragma once

#include "cuse/session/libfuse.h"
#include "fbemu/frontend/opener.h"

namespace cuse {

/// Returns the opener of `file`, for whom `request` came. Call it before the answer: until then the thread
/// that opens cannot end.
[[nodiscard]] fbemu::Opener opener_of(fuse_req_t request, const fuse_file_info& file);

}  // namespace cuse
