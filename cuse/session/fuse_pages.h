#pragma once

#include <string>

#include "base/unique_fd.h"
#include "fbemu/frontend/program_pages.h"

namespace cuse {

/// The page cache of the FUSE file, through a descriptor of our own.
///
/// It is read with preadv(2) and never mapped: when a process with such a mapping is killed, the kernel
/// writes the file's changed pages back before it closes the process's descriptors (fuse_vma_close() from
/// exit_mm()), that is, it waits for an answer that nobody is left to give.
class FusePages final : public fbemu::ProgramPages {
 public:
  /// `file` is open for reading on the mounted file.
  explicit FusePages(base::UniqueFd file) : file_(std::move(file)) {}

  base::Result<void> clean(fbemu::ByteRange range) override;
  base::Result<void> read(uint64_t offset, std::span<const iovec> into) override;

  /// Brings all `bytes` of the file into the page cache, so that programs do not wait for us at their first
  /// touch.
  void prefetch(uint64_t bytes);

 private:
  base::UniqueFd file_;
};

}  // namespace cuse
