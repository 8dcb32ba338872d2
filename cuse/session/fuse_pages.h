#pragma once

#include <string>

#include "base/unique_fd.h"
#include "fbemu/frontend/program_pages.h"

namespace cuse {

/// The page cache of the FUSE file, through a descriptor of the daemon's own.
///
/// It is read with preadv(2) and never mapped. When a process with such a mapping is killed, the kernel first
/// writes the changed pages back (fuse_vma_close() from exit_mm()), then closes the process's descriptors. If
/// that process were the daemon, the writeback would wait forever for its answer.
class FusePages final : public fbemu::ProgramPages {
 public:
  /// `file` is open on the mounted file for reading; for clear() also for writing.
  explicit FusePages(base::UniqueFd file) : file_(std::move(file)) {}

  base::Result<void> clean(fbemu::ByteRange range) override;
  base::Result<void> read(uint64_t offset, std::span<const iovec> into) override;
  base::Result<void> clear(uint64_t bytes) override;

  /// Reads all `bytes` of the file into the page cache, so that the first access of a program does not wait
  /// for the daemon.
  void prefetch(uint64_t bytes);

 private:
  base::UniqueFd file_;
};

}  // namespace cuse
