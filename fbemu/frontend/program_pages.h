#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "base/result.h"
#include "fbemu/damage/byte_range.h"

namespace fbemu {

/// The page cache that programs map, as provided by a front end. The functions may block until the front
/// end's request threads have answered the kernel, so only the presenter's thread calls them.
class ProgramPages {
 public:
  virtual ~ProgramPages() = default;

  /// Cleans the dirty pages in `range`, which write-protects them. Returns when their contents are in the
  /// backing store and recorded in the damage log. Takes microseconds if no page is dirty. Errors: those of
  /// sync_file_range(2).
  virtual base::Result<void> clean(ByteRange range) = 0;

  /// Reads the current pixels of programs from `offset` on into the parts of `into`, without cleaning pages.
  /// `into` has at most IOV_MAX parts. Errors: those of preadv(2); EIO for a short read.
  virtual base::Result<void> read(uint64_t offset, std::span<const iovec> into) = 0;

  /// Zeroes the first `bytes` bytes, in the page cache and, by write requests, in the backing store. Errors:
  /// those of pwritev(2); EIO for a short write.
  virtual base::Result<void> clear(uint64_t bytes) = 0;
};

}  // namespace fbemu
