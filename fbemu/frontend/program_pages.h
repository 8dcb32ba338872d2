#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "base/result.h"
#include "fbemu/damage/byte_range.h"

namespace fbemu {

/// The pages that programs map, as the front end can reach them. Both calls may block on the front end's own
/// request threads, so they are made by the presenter's thread only.
class ProgramPages {
 public:
  virtual ~ProgramPages() = default;

  /// Write-protects the changed pages in `range` and returns when their contents were stored in the shadow
  /// and recorded in the damage log. Costs microseconds where nothing changed. Errors: those of
  /// sync_file_range(2).
  virtual base::Result<void> clean(ByteRange range) = 0;

  /// Reads the pixels as the program sees them now, without cleaning pages, from `offset` on into `into` in
  /// turn. At most IOV_MAX parts. Errors: those of preadv(2), EIO for a short read.
  virtual base::Result<void> read(uint64_t offset, std::span<const iovec> into) = 0;
};

}  // namespace fbemu
