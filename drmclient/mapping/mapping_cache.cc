#include "drmclient/mapping/mapping_cache.h"

#include <algorithm>
#include <utility>

namespace drmclient {

void MappingCache::release_all() {
  for (Entry* entry : entries_) entry->release(Reason::pressure);
}

uint64_t MappingCache::mapped_bytes() const {
  uint64_t bytes = 0;
  for (const MappingCounts& counts : statistics_.kinds) bytes += counts.mapped_bytes;
  return bytes;
}

void MappingCache::evict(uint64_t bytes) {
  while (mapped_bytes() + bytes > statistics_.limit_bytes) {
    // A linear search suffices, because a card has only a few buffers.
    Entry* oldest = nullptr;
    for (Entry* entry : entries_) {
      if (entry->idle() && (oldest == nullptr || entry->last_use_ < oldest->last_use_)) oldest = entry;
    }
    if (oldest == nullptr) return;
    oldest->release(Reason::limit);
  }
}

MappingCache::Entry::Entry(std::shared_ptr<MappingCache> cache, uint64_t size_bytes)
    : cache_(std::move(cache)), size_bytes_(size_bytes) {
  cache_->entries_.push_back(this);
}

MappingCache::Entry::~Entry() {
  drop();
  std::erase(cache_->entries_, this);
}

BufferMapping* MappingCache::Entry::begin_use() {
  if (mapping_ == nullptr) {
    cache_->evict(size_bytes_);
    return nullptr;
  }
  ++cache_->counts(kind_).hits;
  last_use_ = ++cache_->uses_;
  in_use_ = true;
  return mapping_.get();
}

BufferMapping& MappingCache::Entry::keep(MappingKind kind, std::unique_ptr<BufferMapping> made) {
  kind_ = kind;
  mapping_ = std::move(made);
  MappingCounts& counts = cache_->counts(kind);
  ++counts.misses;
  if (std::exchange(was_mapped_, true)) ++counts.remaps;
  counts.mapped_bytes += size_bytes_;
  last_use_ = ++cache_->uses_;
  in_use_ = true;
  return *mapping_;
}

void MappingCache::Entry::end_use() {
  in_use_ = false;
  cache_->evict(0);
}

void MappingCache::Entry::release(Reason reason) {
  if (!idle()) return;
  MappingCounts& counts = cache_->counts(kind_);
  switch (reason) {
    case Reason::limit:
      ++counts.released_for_limit;
      break;
    case Reason::pressure:
      ++counts.released_for_pressure;
      break;
    case Reason::hint:
      ++counts.released_on_hint;
      break;
  }
  drop();
}

void MappingCache::Entry::drop() {
  if (mapping_ == nullptr) return;
  mapping_.reset();
  cache_->counts(kind_).mapped_bytes -= size_bytes_;
}

}  // namespace drmclient
