#include "drmclient/mapping/mapping_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

using base::Result;
using drmclient::AccessMode;
using drmclient::BufferMapping;
using drmclient::MappingCache;
using drmclient::MappingCounts;
using drmclient::MappingKind;

namespace {

/// A mapping that counts the existing mappings.
class CountedMapping final : public BufferMapping {
 public:
  explicit CountedMapping(int& alive) : alive_(alive) { ++alive_; }
  ~CountedMapping() override { --alive_; }
  Result<void> begin(AccessMode) override { return {}; }
  Result<void> end(AccessMode) override { return {}; }
  [[nodiscard]] std::byte* data() const override { return nullptr; }

 private:
  int& alive_;
};

class Cache : public testing::Test {
 protected:
  /// Begins an access. Returns true if it was a hit.
  bool begin(MappingCache::Entry& entry, MappingKind kind = MappingKind::dumb) {
    if (entry.begin_use() != nullptr) return true;
    entry.keep(kind, std::make_unique<CountedMapping>(alive));
    return false;
  }
  bool access(MappingCache::Entry& entry, MappingKind kind = MappingKind::dumb) {
    const bool hit = begin(entry, kind);
    entry.end_use();
    return hit;
  }
  [[nodiscard]] const MappingCounts& counts(MappingKind kind = MappingKind::dumb) const {
    return cache->statistics().of(kind);
  }

  int alive = 0;
  std::shared_ptr<MappingCache> cache = std::make_shared<MappingCache>(100);
};

}  // namespace

TEST_F(Cache, MappingIsKeptBetweenAccesses) {
  MappingCache::Entry entry(cache, 60);
  EXPECT_FALSE(entry.was_mapped());
  EXPECT_FALSE(access(entry));
  EXPECT_TRUE(access(entry));
  EXPECT_TRUE(entry.was_mapped());
  EXPECT_EQ(counts(), (MappingCounts{.hits = 1, .misses = 1, .mapped_bytes = 60}));
}

TEST_F(Cache, EachKindIsCountedSeparately) {
  MappingCache::Entry dumb(cache, 10);
  MappingCache::Entry dma_buf(cache, 20);
  access(dumb);
  access(dma_buf, MappingKind::dma_buf);
  access(dma_buf, MappingKind::dma_buf);
  EXPECT_EQ(counts(), (MappingCounts{.misses = 1, .mapped_bytes = 10}));
  EXPECT_EQ(counts(MappingKind::dma_buf), (MappingCounts{.hits = 1, .misses = 1, .mapped_bytes = 20}));
}

TEST_F(Cache, LeastRecentlyUsedMappingIsEvicted) {
  MappingCache::Entry first(cache, 40);
  MappingCache::Entry second(cache, 40);
  MappingCache::Entry third(cache, 40);
  access(first);
  access(second);
  access(first);
  access(third);
  EXPECT_EQ(alive, 2);
  EXPECT_EQ(counts().released_for_limit, 1U);
  EXPECT_TRUE(access(first));
  EXPECT_TRUE(access(third));
  EXPECT_FALSE(access(second)) << "it is the least recently used mapping";
  EXPECT_EQ(counts().remaps, 1U);
}

TEST_F(Cache, MappingsUpToLimitAreKept) {
  MappingCache::Entry first(cache, 60);
  MappingCache::Entry second(cache, 40);
  access(first);
  access(second);
  EXPECT_EQ(counts(), (MappingCounts{.misses = 2, .mapped_bytes = 100}));
}

TEST_F(Cache, LargeMappingEvictsSeveral) {
  MappingCache::Entry first(cache, 30);
  MappingCache::Entry second(cache, 30);
  MappingCache::Entry large(cache, 90);
  access(first);
  access(second);
  access(large);
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(counts().released_for_limit, 2U);
}

TEST_F(Cache, EvictionPrecedesNewMapping) {
  MappingCache::Entry first(cache, 60);
  MappingCache::Entry second(cache, 60);
  access(first);
  EXPECT_EQ(second.begin_use(), nullptr);
  EXPECT_EQ(alive, 0);
}

TEST_F(Cache, MappingInAccessIsNeverEvicted) {
  MappingCache::Entry held(cache, 60);
  MappingCache::Entry other(cache, 60);
  begin(held);
  begin(other);
  EXPECT_EQ(alive, 2) << "both are in access, beyond the limit";
  cache->release_all();
  held.release();
  EXPECT_EQ(alive, 2);
  held.end_use();
  EXPECT_EQ(alive, 1) << "the limit applies again after the access";
  other.end_use();
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(counts(), (MappingCounts{.misses = 2, .mapped_bytes = 60, .released_for_limit = 1}));
}

TEST_F(Cache, MappingBeyondLimitIsDroppedAfterAccess) {
  MappingCache::Entry entry(cache, 101);
  begin(entry);
  EXPECT_EQ(alive, 1);
  entry.end_use();
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(access(entry));
}

TEST_F(Cache, PressureReleasesAllAndHintReleasesOne) {
  MappingCache::Entry first(cache, 10);
  MappingCache::Entry second(cache, 10);
  MappingCache::Entry never(cache, 10);
  access(first);
  access(second, MappingKind::dma_buf);
  cache->release_all();
  EXPECT_EQ(alive, 0);
  access(first);
  first.release();
  first.release();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(counts(),
            (MappingCounts{.misses = 2, .remaps = 1, .released_for_pressure = 1, .released_on_hint = 1}));
  EXPECT_EQ(counts(MappingKind::dma_buf), (MappingCounts{.misses = 1, .released_for_pressure = 1}));
}

TEST_F(Cache, DestroyedEntryDropsMapping) {
  {
    MappingCache::Entry entry(cache, 10);
    access(entry);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(counts(), (MappingCounts{.misses = 1}));
  cache->release_all();
}

TEST_F(Cache, EntryKeepsCacheAlive) {
  MappingCache::Entry entry(cache, 10);
  cache.reset();
  EXPECT_FALSE(access(entry));
  EXPECT_TRUE(access(entry));
}
