#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "drmclient/mapping.h"
#include "drmclient/mapping/buffer_mapping.h"

namespace drmclient {

/// The mappings of a card's buffers, kept from one access to the next up to a limit of bytes: what was used
/// least recently goes first, and never what is in access. Not thread-safe: a card belongs to one thread.
class MappingCache {
 public:
  class Entry;

  /// `limit_bytes` is the most that is kept mapped, as far as nothing in access needs more.
  explicit MappingCache(uint64_t limit_bytes) { statistics_.limit_bytes = limit_bytes; }
  MappingCache(const MappingCache&) = delete;
  MappingCache& operator=(const MappingCache&) = delete;
  ~MappingCache() = default;

  /// The system is short of memory: drops all mappings that are not in access.
  void release_all();

  /// The counters so far.
  [[nodiscard]] const MappingStatistics& statistics() const { return statistics_; }
  /// To count what is not kept here.
  [[nodiscard]] MappingCounts& counts(MappingKind kind) { return statistics_.of(kind); }

 private:
  enum class Reason { limit, pressure, hint };
  [[nodiscard]] uint64_t mapped_bytes() const;
  /// Drops idle mappings, the least recently used first, until `bytes` more fit or none is left.
  void evict(uint64_t bytes);

  std::vector<Entry*> entries_;  ///< of all buffers, mapped or not
  uint64_t uses_ = 0;
  MappingStatistics statistics_;
};

/// One buffer's place in the cache: its mapping, or none.
class MappingCache::Entry {
 public:
  /// `size_bytes` is what a mapping of the buffer takes.
  Entry(std::shared_ptr<MappingCache> cache, uint64_t size_bytes);
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry();

  /// Begins an access with the mapping that was kept, which counts as a hit. Null where there is none: then
  /// there is room for one, and keep() follows.
  [[nodiscard]] BufferMapping* begin_use();
  /// Begins an access with a mapping that was just made, which counts as a miss.
  BufferMapping& keep(MappingKind kind, std::unique_ptr<BufferMapping> made);
  /// Ends the access. The mapping goes where it alone is beyond the limit.
  void end_use();
  /// Drops the mapping, unless it is in access.
  void release() { release(Reason::hint); }
  /// Whether there ever was a mapping.
  [[nodiscard]] bool was_mapped() const { return was_mapped_; }

 private:
  friend class MappingCache;
  [[nodiscard]] bool idle() const { return mapping_ != nullptr && !in_use_; }
  void release(Reason reason);
  void drop();

  std::shared_ptr<MappingCache> cache_;
  uint64_t size_bytes_;
  std::unique_ptr<BufferMapping> mapping_;
  MappingKind kind_ = MappingKind::dumb;
  uint64_t last_use_ = 0;
  bool in_use_ = false;
  bool was_mapped_ = false;
};

}  // namespace drmclient
