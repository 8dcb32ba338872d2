#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "drmclient/mapping.h"
#include "drmclient/mapping/buffer_mapping.h"

namespace drmclient {

/// The mappings of a card's buffers, kept between accesses up to a limit of bytes. The least recently used
/// mapping is dropped first; a mapping in access is never dropped. Not thread-safe: a card belongs to one
/// thread.
class MappingCache {
 public:
  class Entry;

  /// Makes an empty cache. Mappings in access may exceed `limit_bytes`.
  explicit MappingCache(uint64_t limit_bytes) { statistics_.limit_bytes = limit_bytes; }
  MappingCache(const MappingCache&) = delete;
  MappingCache& operator=(const MappingCache&) = delete;
  ~MappingCache() = default;

  /// Drops all mappings that are not in access, because the system is short of memory.
  void release_all();

  /// Returns the counters.
  [[nodiscard]] const MappingStatistics& statistics() const { return statistics_; }
  /// Returns the counters of one kind, to count mappings that are not kept here.
  [[nodiscard]] MappingCounts& counts(MappingKind kind) { return statistics_.of(kind); }

 private:
  enum class Reason { limit, pressure, hint };
  [[nodiscard]] uint64_t mapped_bytes() const;
  /// Drops idle mappings, the least recently used first, until `bytes` more fit or no idle mapping exists.
  void evict(uint64_t bytes);

  std::vector<Entry*> entries_;  ///< of all buffers, mapped or not
  uint64_t uses_ = 0;
  MappingStatistics statistics_;
};

/// The place of one buffer in the cache, with or without a mapping.
class MappingCache::Entry {
 public:
  /// Adds an entry to `cache`; a mapping of the buffer has `size_bytes`.
  Entry(std::shared_ptr<MappingCache> cache, uint64_t size_bytes);
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry();

  /// Begins an access with the kept mapping, which counts as a hit. Returns null if there is none; then the
  /// cache has room for one, and keep() follows.
  [[nodiscard]] BufferMapping* begin_use();
  /// Begins an access with the new mapping `made`, which counts as a miss.
  BufferMapping& keep(MappingKind kind, std::unique_ptr<BufferMapping> made);
  /// Ends the access. Drops the mapping if it exceeds the limit by itself.
  void end_use();
  /// Drops the mapping, unless it is in access.
  void release() { release(Reason::hint); }
  /// Returns true if the buffer was ever mapped.
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
