#include "fbemu/damage/damage_log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/byte_ranges.h"

using fbemu::ByteRange;
using fbemu::DamageLog;
using unit::bytes_of;
using unit::is_sorted_and_disjoint;

namespace {

std::vector<ByteRange> some_ranges() {
  std::vector<ByteRange> ranges;
  const auto count = *rc::gen::inRange(0, 30);
  for (int i = 0; i < count; ++i) {
    const auto begin = *rc::gen::inRange<uint64_t>(0, 200);
    ranges.push_back({begin, begin + *rc::gen::inRange<uint64_t>(0, 20)});
  }
  return ranges;
}

}  // namespace

TEST(DamageLog, NewLogIsEmpty) {
  DamageLog log;
  EXPECT_TRUE(log.empty());
  EXPECT_TRUE(log.take().empty());
}

TEST(DamageLog, WrittenAndWrittenBackAreSeparate) {
  DamageLog log;
  log.add_written({10, 20});
  log.add_written_back({4096, 8192});
  const auto damage = log.take();
  EXPECT_EQ(damage.written, (std::vector<ByteRange>{{10, 20}}));
  EXPECT_EQ(damage.written_back, (std::vector<ByteRange>{{4096, 8192}}));
}

TEST(DamageLog, AllMergesBothLists) {
  DamageLog log;
  log.add_written({4000, 4100});
  log.add_written_back({4096, 8192});
  log.add_written({1, 2});
  EXPECT_EQ(log.take().all(), (std::vector<ByteRange>{{1, 2}, {4000, 8192}}));
}

TEST(DamageLog, TakeEmptiesLog) {
  DamageLog log;
  log.add_written({1, 2});
  EXPECT_FALSE(log.empty());
  EXPECT_FALSE(log.take().empty());
  EXPECT_TRUE(log.empty());
  EXPECT_TRUE(log.take().empty());
}

TEST(DamageLog, AddReturnsTrueIfLogWasEmpty) {
  DamageLog log;
  EXPECT_TRUE(log.add_written({0, 1}));
  EXPECT_FALSE(log.add_written({1, 2})) << "nor for a sequential write";
  EXPECT_FALSE(log.add_written({8, 9}));
  EXPECT_FALSE(log.add_written_back({4096, 8192}));
  static_cast<void>(log.take());
  EXPECT_TRUE(log.add_written_back({4096, 8192}));
}

TEST(DamageLog, EmptyRangeIsIgnored) {
  DamageLog log;
  EXPECT_FALSE(log.add_written({5, 5}));
  EXPECT_TRUE(log.empty());
}

RC_GTEST_PROP(DamageLog, TakeReturnsExactlyTheAddedBytes, ()) {
  const auto written = some_ranges();
  const auto written_back = some_ranges();
  DamageLog log;
  for (const ByteRange& range : written) log.add_written(range);
  for (const ByteRange& range : written_back) log.add_written_back(range);
  const auto damage = log.take();
  RC_ASSERT(bytes_of(damage.written) == bytes_of(written));
  RC_ASSERT(bytes_of(damage.written_back) == bytes_of(written_back));
  RC_ASSERT(is_sorted_and_disjoint(damage.written) && is_sorted_and_disjoint(damage.written_back));
  auto both = bytes_of(written);
  both.merge(bytes_of(written_back));
  RC_ASSERT(bytes_of(damage.all()) == both);
  RC_ASSERT(is_sorted_and_disjoint(damage.all()));
}

TEST(DamageLog, ConcurrentAddsAndTakesLoseNothing) {
  constexpr uint64_t threads = 4;
  constexpr uint64_t adds = 4'000;
  DamageLog log;
  std::atomic<uint64_t> running{threads};
  std::vector<std::thread> writers;
  for (uint64_t thread = 0; thread < threads; ++thread) {
    writers.emplace_back([&, thread] {
      for (uint64_t i = 0; i < adds; ++i) {
        const uint64_t at = (i * threads + thread) * 3;
        if (i % 2 == 0) {
          log.add_written({at, at + 1});
        } else {
          log.add_written_back({at, at + 1});
        }
      }
      --running;
    });
  }
  uint64_t bytes = 0;
  const auto take = [&] {
    for (const ByteRange& range : log.take().all()) bytes += range.size();
  };
  while (running > 0) take();
  for (std::thread& writer : writers) writer.join();
  take();
  EXPECT_EQ(bytes, threads * adds);
}

TEST(DamageLog, ConcurrentAddsReturnTrueOncePerTake) {
  constexpr int threads = 4;
  DamageLog log;
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> first{0};
    std::vector<std::thread> writers;
    for (int thread = 0; thread < threads; ++thread) {
      writers.emplace_back([&, thread] {
        const auto at = static_cast<uint64_t>(thread) * 10;
        if (log.add_written({at, at + 1})) ++first;
      });
    }
    for (std::thread& writer : writers) writer.join();
    ASSERT_EQ(first, 1);
    static_cast<void>(log.take());
  }
}
