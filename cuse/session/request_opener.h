#pragma once

#include "cuse/session/libfuse.h"
#include "fbemu/frontend/opener.h"

namespace cuse {

/// Returns the opener of `file`, the sender of `request`. Call it before the answer: until then the opening
/// thread cannot end.
[[nodiscard]] fbemu::Opener opener_of(fuse_req_t request, const fuse_file_info& file);

}  // namespace cuse
