#include "fbemu/damage/tracking_policy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "fbemu/damage/damage_log.h"

using fbemu::ByteRange;
using fbemu::page_size;
using fbemu::TrackingPolicy;

namespace {

constexpr ByteRange full_hd{0, uint64_t{1920} * 1080 * 4};  // exactly 2025 pages

/// A program that changes pages, and a policy that runs as in a presenter.
class Workload {
 public:
  explicit Workload(ByteRange visible = full_hd) : visible_(visible) {}

  void draw(ByteRange bytes) {
    for (uint64_t page = bytes.begin / page_size; page * page_size < bytes.end; ++page) dirty_.insert(page);
  }
  void draw_all() { draw(visible_); }
  void pan_to(ByteRange visible) { visible_ = visible; }

  TrackingPolicy::Plan tick() {
    const auto plan = policy.begin_tick(visible_);
    std::vector<ByteRange> written_back;
    for (const ByteRange& range : plan.clean) {
      for (uint64_t page = range.begin / page_size; page * page_size < range.end; ++page) {
        if (dirty_.erase(page) != 0) written_back.push_back({page * page_size, (page + 1) * page_size});
      }
    }
    fbemu::sort_and_merge(written_back);
    policy.observe(written_back);
    return plan;
  }
  void idle_ticks(int count) {
    for (int i = 0; i < count; ++i) static_cast<void>(tick());
  }
  /// Runs `count` ticks, with a full redraw before each `every`-th. Returns the number of hot ticks.
  int busy_ticks(int count, int every = 1) {
    int hot = 0;
    for (int i = 0; i < count; ++i) {
      if (i % every == 0) draw_all();
      static_cast<void>(tick());
      hot += is_hot() ? 1 : 0;
    }
    return hot;
  }
  [[nodiscard]] bool is_hot() const { return policy.mode() == TrackingPolicy::Mode::hot; }

  TrackingPolicy policy;

 private:
  ByteRange visible_;
  std::set<uint64_t> dirty_;
};

/// Returns the bytes of a window on a full-HD screen, in lines and pixels.
std::vector<ByteRange> window(uint64_t first_line, uint64_t lines, uint64_t first_column, uint64_t columns) {
  std::vector<ByteRange> ranges;
  for (uint64_t y = first_line; y < first_line + lines; ++y) {
    const uint64_t begin = y * 7680 + first_column * 4;
    ranges.push_back({begin, begin + columns * 4});
  }
  return ranges;
}

}  // namespace

TEST(TrackingPolicy, NewPolicyIsTracked) {
  EXPECT_EQ(TrackingPolicy().mode(), TrackingPolicy::Mode::tracked);
}

TEST(TrackingPolicy, TrackedCleansVisiblePagesAtEachTick) {
  Workload idle;
  for (int i = 0; i < 3; ++i) {
    const auto plan = idle.tick();
    EXPECT_EQ(plan.clean, (std::vector<ByteRange>{full_hd}));
    EXPECT_FALSE(plan.upload_live);
  }
}

TEST(TrackingPolicy, CleanRangeIsRoundedToPages) {
  TrackingPolicy policy;
  EXPECT_EQ(policy.begin_tick({5'000, 9'000}).clean, (std::vector<ByteRange>{{4'096, 12'288}}));
}

TEST(TrackingPolicy, IdleScreenStaysTracked) {
  Workload idle;
  idle.idle_ticks(1000);
  EXPECT_FALSE(idle.is_hot());
}

TEST(TrackingPolicy, OneFullRedrawStaysTracked) {
  for (const uint64_t pages : {300U, 768U, 900U, 2025U, 2040U, 8100U}) {
    Workload redraw({0, pages * page_size});
    redraw.idle_ticks(100);
    EXPECT_EQ(redraw.busy_ticks(1), 0) << pages << " pages";
    redraw.idle_ticks(100);
    EXPECT_FALSE(redraw.is_hot());
  }
}

TEST(TrackingPolicy, OneFullRedrawPerSecondStaysTracked) {
  Workload clock;
  EXPECT_EQ(clock.busy_ticks(600, 60), 0);
}

TEST(TrackingPolicy, SixtyFramesPerSecondGoHotWithinWindow) {
  Workload game;
  game.busy_ticks(TrackingPolicy::window_ticks);
  EXPECT_TRUE(game.is_hot());
}

TEST(TrackingPolicy, SixtyFramesPerSecondStayHot) {
  Workload game;
  game.busy_ticks(TrackingPolicy::window_ticks);
  EXPECT_EQ(game.busy_ticks(600), 600);
}

TEST(TrackingPolicy, ThirtyFramesPerSecondGoHotAndStay) {
  Workload video;
  video.busy_ticks(16, 2);
  EXPECT_EQ(video.busy_ticks(600, 2), 600);
}

TEST(TrackingPolicy, TenFramesPerSecondGoHotAndStay) {
  Workload slow_video;
  slow_video.busy_ticks(18, 6);
  EXPECT_TRUE(slow_video.is_hot());
  EXPECT_EQ(slow_video.busy_ticks(600, 6), 600);
}

TEST(TrackingPolicy, CursorOf64PixelsStaysTracked) {
  Workload cursor;
  for (uint64_t i = 0; i < 600; ++i) {
    for (const ByteRange& line : window(i, 64, i, 64)) cursor.draw(line);
    static_cast<void>(cursor.tick());
    ASSERT_FALSE(cursor.is_hot()) << "tick " << i;
  }
}

TEST(TrackingPolicy, VideoInQuarterOfScreenGoesHotAndStays) {
  Workload video;
  int hot = 0;
  for (int i = 0; i < 600; ++i) {
    for (const ByteRange& line : window(270, 540, 480, 960)) video.draw(line);
    static_cast<void>(video.tick());
    hot += video.is_hot() ? 1 : 0;
  }
  EXPECT_GE(hot, 590);
}

TEST(TrackingPolicy, PanningBetweenTwoBuffersGoesHotAndStays) {
  constexpr ByteRange back{full_hd.end, 2 * full_hd.end};
  Workload flipping;
  int hot = 0;
  for (int i = 0; i < 600; ++i) {
    flipping.pan_to(i % 2 == 0 ? full_hd : back);
    flipping.draw_all();
    EXPECT_TRUE(flipping.tick().upload_live || i == 0) << "the view moved, so all of it is uploaded";
    hot += flipping.is_hot() ? 1 : 0;
  }
  EXPECT_GE(hot, 590);
}

TEST(TrackingPolicy, PanUploadsWholeScreenOnce) {
  Workload viewer;
  viewer.idle_ticks(10);
  viewer.pan_to({4096, 4096 + full_hd.end});
  EXPECT_TRUE(viewer.tick().upload_live);
  EXPECT_FALSE(viewer.tick().upload_live);
}

TEST(TrackingPolicy, HotUploadsLivePagesAtEachTick) {
  Workload game;
  game.busy_ticks(16);
  for (int i = 0; i < 200; ++i) {
    game.draw_all();
    EXPECT_TRUE(game.tick().upload_live);
  }
}

TEST(TrackingPolicy, HotCleansSamplesOnly) {
  Workload game;
  game.busy_ticks(16);
  int cleaning_ticks = 0;
  uint64_t cleaned = 0;
  for (int i = 0; i < 360; ++i) {
    game.draw_all();
    const auto plan = game.tick();
    cleaning_ticks += plan.clean.empty() ? 0 : 1;
    for (const ByteRange& range : plan.clean) cleaned += range.size();
  }
  EXPECT_EQ(cleaning_ticks, 20) << "two in every 36 ticks";
  EXPECT_LE(cleaned, 20 * full_hd.size() / 16) << "a sixteenth of the screen each time";
}

TEST(TrackingPolicy, ProgramThatStopsIsTrackedAfterNextSample) {
  Workload game;
  game.busy_ticks(16);
  ASSERT_TRUE(game.is_hot());
  game.idle_ticks(2 * (TrackingPolicy::sample_interval_ticks + TrackingPolicy::sample_length_ticks));
  EXPECT_FALSE(game.is_hot());
}

TEST(TrackingPolicy, LastHotTickUploadsLivePages) {
  Workload game;
  game.busy_ticks(16);
  bool live = false;
  for (int i = 0; i < 200 && game.is_hot(); ++i) live = game.tick().upload_live;
  ASSERT_FALSE(game.is_hot());
  EXPECT_TRUE(live);
}

TEST(TrackingPolicy, FirstTickAfterHotCleansEveryVisiblePage) {
  Workload game;
  game.busy_ticks(16);
  for (int i = 0; i < 200 && game.is_hot(); ++i) static_cast<void>(game.tick());
  EXPECT_EQ(game.tick().clean, (std::vector<ByteRange>{full_hd}));
}

TEST(TrackingPolicy, PanningWithoutDrawingStaysHot) {
  Workload scrolling;
  for (uint64_t i = 0; i < 600; ++i) {
    scrolling.pan_to({i * 7680, i * 7680 + full_hd.end});
    EXPECT_TRUE(scrolling.tick().upload_live || i == 0);
    EXPECT_TRUE(scrolling.is_hot() || i < TrackingPolicy::window_ticks) << "tick " << i;
  }
}

TEST(TrackingPolicy, PanningThatStopsIsTrackedAgain) {
  Workload flipping;
  for (int i = 0; i < 60; ++i) {
    flipping.pan_to(i % 2 == 0 ? full_hd : ByteRange{full_hd.end, 2 * full_hd.end});
    static_cast<void>(flipping.tick());
  }
  ASSERT_TRUE(flipping.is_hot());
  flipping.idle_ticks(80);
  EXPECT_FALSE(flipping.is_hot());
}

TEST(TrackingPolicy, SmallScreenStaysTracked) {
  Workload small({0, TrackingPolicy::smallest_hot_pages * page_size});
  EXPECT_EQ(small.busy_ticks(600), 0);
}

TEST(TrackingPolicy, ScreenOfMoreThanSixteenPagesGoesHot) {
  Workload small({0, (TrackingPolicy::smallest_hot_pages + 1) * page_size});
  small.busy_ticks(32);
  EXPECT_TRUE(small.is_hot());
}

TEST(TrackingPolicy, ResetReturnsToTrackedWithEmptyWindow) {
  Workload game;
  game.busy_ticks(16);
  ASSERT_TRUE(game.is_hot());
  game.policy.reset();
  EXPECT_FALSE(game.is_hot());
  game.idle_ticks(1);
  EXPECT_FALSE(game.is_hot());
}

TEST(TrackingPolicy, SamplesCoverWholeScreenOverTime) {
  for (const uint64_t pages : {64U, 300U, 469U, 768U, 900U, 2025U, 8100U}) {
    TrackingPolicy policy;
    const ByteRange visible{0, pages * page_size};
    std::vector<bool> sampled(pages);
    for (int i = 0; i < 36 * 500; ++i) {
      auto plan = policy.begin_tick(visible);
      if (policy.mode() == TrackingPolicy::Mode::hot) {
        for (const ByteRange& range : plan.clean) {
          for (uint64_t page = range.begin / page_size; page * page_size < range.end; ++page)
            sampled[page] = true;
        }
      }
      fbemu::sort_and_merge(plan.clean);
      policy.observe(plan.clean);  // every page cleaned had changed
    }
    EXPECT_EQ(static_cast<uint64_t>(std::ranges::count(sampled, true)), pages) << "of " << pages << " pages";
  }
}

RC_GTEST_PROP(TrackingPolicy, CleanRangesArePageAlignedDisjointAndVisible, ()) {
  const auto first = *rc::gen::inRange<uint64_t>(0, 100'000);
  const auto size = *rc::gen::inRange<uint64_t>(70'000, 3'000'000);
  const ByteRange visible{first, first + size};
  const ByteRange pages{first / page_size * page_size, fbemu::round_up_to_page(visible.end)};
  Workload game(visible);
  for (int i = 0; i < 200; ++i) {
    game.draw_all();
    const auto plan = game.tick();
    std::vector<ByteRange> sorted = plan.clean;
    std::ranges::sort(sorted, {}, &ByteRange::begin);
    for (size_t k = 0; k < sorted.size(); ++k) {
      RC_ASSERT(!sorted[k].empty());
      RC_ASSERT(sorted[k].begin % page_size == 0U && sorted[k].end % page_size == 0U);
      RC_ASSERT(sorted[k].clipped_to(pages) == sorted[k]);
      // Evaluated outside RC_ASSERT, which does not short-circuit "||".
      const bool apart = k == 0 || sorted[k - 1].end <= sorted[k].begin;
      RC_ASSERT(apart);
    }
  }
}

RC_GTEST_PROP(TrackingPolicy, ProgramThatStopsGetsEveryPageCleaned, ()) {
  const auto busy = *rc::gen::inRange(1, 120);
  const auto every = *rc::gen::inRange(1, 8);
  Workload workload;
  workload.busy_ticks(busy, every);
  bool cleaned_all = false;
  for (int i = 0; i < 120 && !cleaned_all; ++i) {
    const auto plan = workload.tick();
    cleaned_all = plan.clean == std::vector<ByteRange>{full_hd};
  }
  RC_ASSERT(cleaned_all);
}
