#include "cuse/session/fuse_pages.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <vector>

namespace cuse {

using base::failure;
using base::failure_from_errno;
using base::Result;

Result<void> FusePages::clean(fbemu::ByteRange range) {
  // WRITE starts the writeback of every dirty page, WAIT_AFTER waits until each was answered. The damage is
  // then complete.
  if (::sync_file_range(file_.get(), static_cast<off64_t>(range.begin), static_cast<off64_t>(range.size()),
                        SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0) {
    return failure_from_errno();
  }
  return {};
}

Result<void> FusePages::read(uint64_t offset, std::span<const iovec> into) {
  size_t wanted = 0;
  for (const iovec& part : into) wanted += part.iov_len;
  const ssize_t size =
      ::preadv(file_.get(), into.data(), static_cast<int>(into.size()), static_cast<off_t>(offset));
  if (size < 0) return failure_from_errno();
  if (static_cast<size_t>(size) != wanted) return failure(EIO);
  return {};
}

Result<void> FusePages::clear(uint64_t bytes) {
  // Written through the page cache and not invalidated: an invalidation leaves out pages that are in use, and
  // only the threads with the channel can request it. A write reaches every page, also a dirty one.
  static constexpr std::array<std::byte, fbemu::page_size> zeros{};
  constexpr size_t pages_in_step = 256;
  std::array<iovec, pages_in_step> step{};
  // pwritev() only reads; its interface has no const.
  step.fill({const_cast<std::byte*>(zeros.data()), zeros.size()});  // NOLINT
  for (uint64_t offset = 0; offset < bytes;) {
    const uint64_t pages = std::min<uint64_t>((bytes - offset) / zeros.size(), pages_in_step);
    const ssize_t size =
        ::pwritev(file_.get(), step.data(), static_cast<int>(pages), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure_from_errno();
    if (static_cast<uint64_t>(size) != pages * zeros.size() || size == 0) return failure(EIO);
    offset += static_cast<uint64_t>(size);
  }
  return {};
}

void FusePages::prefetch(uint64_t bytes) {
  constexpr uint64_t step = uint64_t{1} << 20;
  std::vector<std::byte> discarded(step);
  for (uint64_t offset = 0; offset < bytes; offset += step) {
    const iovec part{discarded.data(), std::min(step, bytes - offset)};
    // Only an optimisation: if it fails, the program's first access reads the page.
    if (!read(offset, {&part, 1})) return;
  }
}

}  // namespace cuse
