#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>

#include "base/memory_map.h"
#include "base/unique_fd.h"

namespace fbemu {

/// The framebuffer's memory as last delivered to us: a memfd, so that it can be handed to another process. It
/// has smem_len bytes for the life of the daemon. Thread-safe.
///
/// The pages that programs map are the page cache of the FUSE file, not this memory. A page of that cache is
/// either dirty, or equal to the shadow: so reclaimed pages can be served from here.
class BackingStore {
 public:
  /// `size_bytes` is rounded up to a page. Throws std::system_error (ENOMEM, EMFILE).
  explicit BackingStore(uint64_t size_bytes);

  [[nodiscard]] uint64_t size_bytes() const { return map_.size(); }
  [[nodiscard]] int descriptor() const { return memory_.get(); }

  /// Copies `bytes` to `offset`; the caller has checked that they lie inside.
  void store(uint64_t offset, std::span<const std::byte> bytes);
  /// Copies from `offset` to `bytes`; the caller has checked that they lie inside.
  void load(uint64_t offset, std::span<std::byte> bytes) const;

  /// Calls `look` with all of the memory while no store() is under way. Keep it short: a program may be
  /// waiting.
  void with_bytes(const std::function<void(std::span<const std::byte>)>& look) const;

 private:
  base::UniqueFd memory_;
  base::MemoryMap map_;
  mutable std::mutex mutex_;
};

}  // namespace fbemu
