#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/memory_map.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace fbemu {

/// The framebuffer's memory as last delivered by the kernel. It is a memfd, so that its descriptor can be
/// passed to another process, and has smem_len bytes for the life of the daemon. Thread-safe.
///
/// Programs map the page cache of the FUSE file, not this memory. Every page of the cache is dirty or equal
/// to the backing store, so a reclaimed page can be read back.
class BackingStore {
 public:
  /// Allocates `size_bytes`, rounded up to a page. Throws std::system_error (ENOMEM, EMFILE).
  explicit BackingStore(uint64_t size_bytes);

  [[nodiscard]] uint64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] int descriptor() const { return memory_.get(); }

  /// Copies `bytes` to `offset`. The range must be inside the memory, or empty.
  void store(uint64_t offset, std::span<const std::byte> bytes) BASE_EXCLUDES(mutex_);
  /// Copies from `offset` to `bytes`. The range must be inside the memory, or empty.
  void load(uint64_t offset, std::span<std::byte> bytes) const BASE_EXCLUDES(mutex_);

  /// Calls `look` with the whole memory and blocks store() meanwhile. `look` must acquire no mutex.
  /// It must be short, because a program may be waiting for its write.
  void with_bytes(const std::function<void(std::span<const std::byte>)>& look) const BASE_EXCLUDES(mutex_);

 private:
  uint64_t size_bytes_;
  base::UniqueFd memory_;
  mutable base::Mutex mutex_;
  base::MemoryMap map_ BASE_GUARDED_BY(mutex_);
};

}  // namespace fbemu
