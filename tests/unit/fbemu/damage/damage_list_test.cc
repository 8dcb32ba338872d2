#include "fbemu/damage/damage_list.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "tests/support/byte_ranges.h"

using fbemu::ByteRange;
using fbemu::DamageList;
using fbemu::page_size;
using fbemu::sort_and_merge;
using unit::bytes_of;
using unit::is_sorted_and_disjoint;

namespace {

std::vector<ByteRange> some_ranges(int most, uint64_t memory_bytes) {
  std::vector<ByteRange> ranges;
  const auto count = *rc::gen::inRange(0, most);
  for (int i = 0; i < count; ++i) {
    const auto begin = *rc::gen::inRange<uint64_t>(0, memory_bytes);
    ranges.push_back({begin, std::min(begin + *rc::gen::inRange<uint64_t>(1, 20), memory_bytes)});
  }
  return ranges;
}

/// Returns the length of the longest run of bytes in `ranges` that are not in `bytes`.
uint64_t longest_gap(const std::vector<ByteRange>& ranges, const std::set<uint64_t>& bytes) {
  uint64_t longest = 0;
  for (const ByteRange& range : ranges) {
    uint64_t run = 0;
    for (uint64_t byte = range.begin; byte < range.end; ++byte) {
      run = bytes.contains(byte) ? 0 : run + 1;
      longest = std::max(longest, run);
    }
  }
  return longest;
}

/// Adds every second page of a memory in a scattered order, `rounds` times, so that no two ranges touch.
/// Checks after each addition that the list is bounded, and at the end that no page is missing.
void check_scattered_pages(uint64_t memory_bytes, uint64_t rounds) {
  const uint64_t places = memory_bytes / page_size / 2;
  constexpr uint64_t step = 1'000'003;  // prime, so that each round adds every place once
  constexpr size_t half = DamageList::usual_limit / 2;
  DamageList list;
  for (uint64_t i = 0; i < places * rounds; ++i) {
    const uint64_t page = i * step % places * 2;
    list.add({page * page_size, (page + 1) * page_size});
    ASSERT_LE(list.size(), DamageList::usual_limit) << "after " << i;
    ASSERT_LE(list.merges(), i / half) << "after " << i;
  }
  EXPECT_GT(list.merges(), 0U);
  const auto ranges = list.take();
  auto range = ranges.begin();
  for (uint64_t place = 0; place < places; ++place) {
    const ByteRange page{place * 2 * page_size, (place * 2 + 1) * page_size};
    while (range != ranges.end() && range->end < page.end) ++range;
    ASSERT_TRUE(range != ranges.end() && range->clipped_to(page) == page) << page.begin;
  }
}

}  // namespace

TEST(SortAndMerge, OverlappingOrTouchingRangesAreJoined) {
  std::vector<ByteRange> ranges{{30, 40}, {0, 10}, {10, 20}, {35, 50}, {60, 61}};
  sort_and_merge(ranges);
  EXPECT_EQ(ranges, (std::vector<ByteRange>{{0, 20}, {30, 50}, {60, 61}}));
}

TEST(SortAndMerge, RangeInsideAnotherIsAbsorbed) {
  std::vector<ByteRange> ranges{{0, 100}, {10, 20}, {50, 60}};
  sort_and_merge(ranges);
  EXPECT_EQ(ranges, (std::vector<ByteRange>{{0, 100}}));
}

TEST(SortAndMerge, EmptyRangesAreDropped) {
  std::vector<ByteRange> ranges{{5, 5}, {9, 3}};
  sort_and_merge(ranges);
  EXPECT_TRUE(ranges.empty());
}

RC_GTEST_PROP(SortAndMerge, RandomRangesKeepTheirBytes, ()) {
  std::vector<ByteRange> ranges = some_ranges(30, 200);
  const auto bytes = bytes_of(ranges);
  sort_and_merge(ranges);
  RC_ASSERT(bytes_of(ranges) == bytes);
  RC_ASSERT(is_sorted_and_disjoint(ranges));
}

TEST(DamageList, ScatteredWritesBelowLimitStayExact) {
  DamageList list;
  for (uint64_t i = 0; i < 32'000; ++i) list.add({i * 100, i * 100 + 4});
  const auto written = list.take();
  ASSERT_EQ(written.size(), 32'000U);
  EXPECT_EQ(written[31'999], (ByteRange{3'199'900, 3'199'904}));
}

TEST(DamageList, ScatteredWritesBeyondLimitAreJoinedWithinPages) {
  DamageList list;
  constexpr uint64_t pages = 2'000;
  constexpr uint64_t writes_a_page = 64;
  for (uint64_t i = 0; i < pages * writes_a_page; ++i) {
    // Uses every second page, so that pages do not merge.
    const uint64_t at = i / writes_a_page * 8'192 + i % writes_a_page * 64;
    list.add({at, at + 4});
  }
  const auto written = list.take();
  EXPECT_LE(written.size(), 32'768U);
  for (uint64_t page = 0; page < pages; ++page) {
    const ByteRange first{page * 8'192, page * 8'192 + 4};
    bool covered = false;
    for (const ByteRange& range : written) covered = covered || range.clipped_to(first) == first;
    ASSERT_TRUE(covered) << "page " << page;
  }
  for (const ByteRange& range : written) ASSERT_LE(range.begin % 8'192 + range.size(), 4'096U) << range.begin;
}

TEST(DamageList, RepeatedWritesKeepTwoRanges) {
  DamageList list;
  for (int i = 0; i < 200'000; ++i) list.add({i % 2 == 0 ? 100U : 300U, i % 2 == 0 ? 104U : 304U});
  EXPECT_EQ(list.take(), (std::vector<ByteRange>{{100, 104}, {300, 304}}));
}

TEST(DamageList, ListAtLimitIsJoinedToHalf) {
  DamageList list(4);
  for (const uint64_t at : {0, 100, 110, 200}) list.add({at, at + 1});
  list.add({500, 501});
  EXPECT_EQ(list.merges(), 1U);
  EXPECT_EQ(list.take(), (std::vector<ByteRange>{{0, 1}, {100, 201}, {500, 501}}))
      << "the gaps of 9 and 89 bytes are the smallest";
}

TEST(DamageList, MergedRangesBelowHalfLimitStayExact) {
  DamageList list(4);
  for (const uint64_t at : {0, 500, 0, 500}) list.add({at, at + 1});
  list.add({600, 601});
  EXPECT_EQ(list.merges(), 1U);
  EXPECT_EQ(list.take(), (std::vector<ByteRange>{{0, 1}, {500, 501}, {600, 601}}));
}

RC_GTEST_PROP(DamageList, RandomRangesKeepTheirBytesAndJoinOnlySmallGaps, ()) {
  const auto limit = *rc::gen::inRange<size_t>(2, 16);
  constexpr uint64_t memory_bytes = 600;
  const auto added = some_ranges(120, memory_bytes);
  DamageList list(limit);
  size_t most = 0;
  for (const ByteRange& range : added) {
    list.add(range);
    most = std::max(most, list.size());
  }
  RC_ASSERT(most <= limit);
  RC_ASSERT(list.merges() <= added.size() / (limit / 2));
  const bool exact = list.merges() == 0;
  RC_CLASSIFY(!exact, "merged");
  const auto ranges = list.take();
  RC_ASSERT(list.empty());
  RC_ASSERT(is_sorted_and_disjoint(ranges));
  const auto model = bytes_of(added);
  const auto kept = bytes_of(ranges);
  RC_ASSERT(std::ranges::includes(kept, model));
  if (exact) RC_ASSERT(kept == model);
  RC_ASSERT(longest_gap(ranges, model) <= memory_bytes / (limit / 2));
}

TEST(DamageList, ScatteredPagesOf192MiBKeepAdditionsCheap) {
  check_scattered_pages(uint64_t{192} * 1024 * 1024, 10);
}

TEST(DamageList, ScatteredPagesOf1GiBKeepAdditionsCheap) {
  check_scattered_pages(uint64_t{1024} * 1024 * 1024, 2);
}

TEST(DamageList, ScatteredPagesOfNearly4GiBKeepAdditionsCheap) {
  check_scattered_pages(uint64_t{4} * 1024 * 1024 * 1024 - page_size, 1);
}
