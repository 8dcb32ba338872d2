#include "fbemu/damage/region.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <utility>
#include <vector>

using drmclient::Rect;
using fbemu::covering_rects;
using fbemu::Region;

namespace {

constexpr int side = 24;
using Grid = std::array<std::array<bool, side>, side>;

std::vector<Rect> some_rects() {
  const auto count = *rc::gen::inRange(0, 40);
  std::vector<Rect> rects;
  for (int i = 0; i < count; ++i) {
    const auto x = *rc::gen::inRange(0, side);
    const auto y = *rc::gen::inRange(0, side);
    rects.push_back({x, y, *rc::gen::inRange(x, side + 1), *rc::gen::inRange(y, side + 1)});
  }
  return rects;
}

Grid painted(const std::vector<Rect>& rects) {
  Grid grid{};
  for (const Rect& rect : rects) {
    for (int y = rect.y1; y < rect.y2; ++y) {
      for (int x = rect.x1; x < rect.x2; ++x)
        grid.at(static_cast<size_t>(y)).at(static_cast<size_t>(x)) = true;
    }
  }
  return grid;
}

uint64_t count(const Grid& grid) {
  uint64_t pixels = 0;
  for (const auto& line : grid) {
    for (const bool pixel : line) pixels += pixel ? 1U : 0U;
  }
  return pixels;
}

uint64_t sum_of_areas(const std::vector<Rect>& rects) {
  uint64_t pixels = 0;
  for (const Rect& rect : rects) pixels += rect.area();
  return pixels;
}

/// Makes a region of one pixel on each of the lines 0, 2, 4, and so on.
Region every_other_line(int lines) {
  Region region;
  for (int i = 0; i < lines; ++i) region.add(Rect{i % 7, 2 * i, i % 7 + 1, 2 * i + 1});
  return region;
}

}  // namespace

TEST(Region, NewRegionIsEmpty) {
  const Region region;
  EXPECT_TRUE(region.empty());
  EXPECT_EQ(region.area(), 0U);
  EXPECT_TRUE(region.rects().empty());
}

TEST(Region, EmptyRectanglesAreIgnored) {
  Region region(std::vector<Rect>{{5, 5, 5, 9}, {9, 9, 5, 5}});
  region.add(Rect{3, 3, 3, 3});
  region.add(Rect{9, 1, 4, 2});
  EXPECT_TRUE(region.empty());
}

TEST(Region, OverlapIsCountedOnce) {
  Region region;
  region.add(Rect{0, 0, 10, 10});
  region.add(Rect{5, 5, 15, 15});
  EXPECT_EQ(region.area(), 175U);
}

TEST(Region, TouchingRectanglesAreJoined) {
  Region region;
  region.add(Rect{0, 0, 10, 10});
  region.add(Rect{10, 0, 20, 10});
  EXPECT_EQ(region.rects(), (std::vector<Rect>{{0, 0, 20, 10}}));
}

TEST(Region, RectanglesAreSortedByLineAndColumn) {
  const Region region(std::vector<Rect>{{8, 4, 9, 5}, {2, 4, 3, 5}, {5, 0, 6, 1}});
  EXPECT_EQ(region.rects(), (std::vector<Rect>{{5, 0, 6, 1}, {2, 4, 3, 5}, {8, 4, 9, 5}}));
}

TEST(Region, ContainsExcludesRightAndBottomEdge) {
  const Region region(std::vector<Rect>{{2, 3, 5, 7}});
  EXPECT_TRUE(region.contains(2, 3));
  EXPECT_TRUE(region.contains(4, 6));
  EXPECT_FALSE(region.contains(5, 6));
  EXPECT_FALSE(region.contains(4, 7));
}

TEST(Region, ClipKeepsPixelsInside) {
  Region region(std::vector<Rect>{{0, 0, 4, 4}, {6, 6, 10, 10}});
  region.clip_to({2, 2, 8, 8});
  EXPECT_EQ(region.rects(), (std::vector<Rect>{{2, 2, 4, 4}, {6, 6, 8, 8}}));
}

TEST(Region, ClipToEmptyRectangleEmptiesRegion) {
  Region region(std::vector<Rect>{{0, 0, 10, 10}});
  region.clip_to({5, 5, 5, 5});
  EXPECT_TRUE(region.empty());
  EXPECT_TRUE(region.rects().empty());
}

TEST(Region, TranslateMovesEveryPixel) {
  Region region(std::vector<Rect>{{10, 10, 12, 12}, {20, 20, 21, 21}});
  region.translate(-10, 5);
  EXPECT_EQ(region.rects(), (std::vector<Rect>{{0, 15, 2, 17}, {10, 25, 11, 26}}));
}

TEST(Region, ClearEmptiesRegion) {
  Region region(std::vector<Rect>{{0, 0, 4, 4}, {6, 6, 10, 10}});
  region.clear();
  EXPECT_TRUE(region.empty());
  region.add(Rect{1, 1, 2, 2});
  EXPECT_EQ(region.area(), 1U);
}

TEST(Region, CopyIsIndependent) {
  Region original(std::vector<Rect>{{0, 0, 4, 4}, {6, 6, 10, 10}});
  const Region copy(original);
  Region assigned;
  assigned = original;
  original.clear();
  EXPECT_EQ(copy.area(), 32U);
  EXPECT_EQ(assigned.area(), 32U);
}

TEST(Region, MoveTransfersPixels) {
  Region original(std::vector<Rect>{{0, 0, 4, 4}, {6, 6, 10, 10}});
  Region moved(std::move(original));
  EXPECT_EQ(moved.area(), 32U);
  Region assigned(std::vector<Rect>{{0, 0, 1, 1}});
  assigned = std::move(moved);
  EXPECT_EQ(assigned.area(), 32U);
}

TEST(Region, SelfAssignmentKeepsPixels) {
  Region region(std::vector<Rect>{{0, 0, 4, 4}, {6, 6, 10, 10}});
  const Region& same = region;
  region = same;
  EXPECT_EQ(region.area(), 32U);
}

RC_GTEST_PROP(Region, RandomRectanglesMatchGrid, ()) {
  const std::vector<Rect> rects = some_rects();
  const Grid grid = painted(rects);
  const Region at_once(rects);
  Region one_by_one;
  for (const Rect& rect : rects) one_by_one.add(rect);
  for (const Region* region : {&at_once, static_cast<const Region*>(&one_by_one)}) {
    RC_ASSERT(painted(region->rects()) == grid);
    RC_ASSERT(region->area() == count(grid));
    RC_ASSERT(sum_of_areas(region->rects()) == count(grid));
    RC_ASSERT(region->empty() == (count(grid) == 0));
  }
}

TEST(CoveringRects, RegionBelowLimitIsExact) {
  const Region region(std::vector<Rect>{{0, 0, 4, 4}, {6, 6, 10, 10}});
  EXPECT_EQ(covering_rects(region, 2), region.rects());
}

TEST(CoveringRects, EmptyRegionHasNone) {
  EXPECT_TRUE(covering_rects(Region(), 1).empty());
}

TEST(CoveringRects, RegionAtLimitIsExact) {
  const Region region = every_other_line(256);
  EXPECT_EQ(covering_rects(region, 256), region.rects());
}

TEST(CoveringRects, RectanglesOfOneLineAreJoinedFirst) {
  const Region region(std::vector<Rect>{{0, 0, 1, 1}, {9, 0, 10, 1}, {0, 5, 10, 6}});
  EXPECT_EQ(covering_rects(region, 2), (std::vector<Rect>{{0, 0, 10, 1}, {0, 5, 10, 6}}));
}

TEST(CoveringRects, ClosestBandsAreJoined) {
  const Region region(std::vector<Rect>{{0, 0, 10, 1}, {0, 2, 10, 3}, {0, 50, 10, 51}});
  EXPECT_EQ(covering_rects(region, 2), (std::vector<Rect>{{0, 0, 10, 3}, {0, 50, 10, 51}}));
}

TEST(CoveringRects, OneBandBeyondLimitJoinsOnePair) {
  const Region region = every_other_line(257);
  const auto rects = covering_rects(region, 256);
  EXPECT_EQ(rects.size(), 256U);
  EXPECT_LE(sum_of_areas(rects), region.area() + 4) << "two neighbours span at most 2 columns and 3 lines";
}

RC_GTEST_PROP(CoveringRects, RandomRegionIsCoveredDisjointlyWithinLimit, ()) {
  const std::vector<Rect> rects = some_rects();
  const auto limit = *rc::gen::inRange<size_t>(1, 12);
  const Region region(rects);
  const auto covering = covering_rects(region, limit);
  RC_ASSERT(covering.size() <= limit);
  const Grid wanted = painted(rects);
  const Grid covered = painted(covering);
  for (size_t y = 0; y < side; ++y) {
    for (size_t x = 0; x < side; ++x) RC_ASSERT(!wanted[y][x] || covered[y][x]);
  }
  RC_ASSERT(sum_of_areas(covering) == count(covered));
}

RC_GTEST_PROP(CoveringRects, RandomRegionIsCoveredWithinItsBounds, ()) {
  const std::vector<Rect> rects = some_rects();
  RC_PRE(!Region(rects).empty());
  Rect bounds{side, side, 0, 0};
  for (const Rect& rect : rects) {
    if (rect.empty()) continue;
    bounds = {std::min(bounds.x1, rect.x1), std::min(bounds.y1, rect.y1), std::max(bounds.x2, rect.x2),
              std::max(bounds.y2, rect.y2)};
  }
  for (const Rect& rect : covering_rects(Region(rects), *rc::gen::inRange<size_t>(1, 12))) {
    RC_ASSERT(rect.clipped_to(bounds) == rect);
  }
}
