#include "drmclient/geometry.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using drmclient::Rect;
using drmclient::Size;

TEST(Size, AreaOfLargestSizeDoesNotOverflow) {
  EXPECT_EQ((Size{4'294'967'295, 4'294'967'295}.area()), 18'446'744'065'119'617'025U);
}

TEST(Rect, OfSizeStartsAtZero) {
  EXPECT_EQ(Rect::of({1920, 1080}), (Rect{0, 0, 1920, 1080}));
}

TEST(Rect, OfSizeStartsAtGivenOrigin) {
  EXPECT_EQ(Rect::of({16, 12}, {3, 5}), (Rect{3, 5, 19, 17}));
}

TEST(IsInside, ViewportUpToEdgeIsInside) {
  EXPECT_TRUE(drmclient::is_inside({16, 12}, {16, 12}, {32, 24}));
}

TEST(IsInside, ViewportAcrossEdgeIsNotInside) {
  EXPECT_FALSE(drmclient::is_inside({16, 12}, {17, 12}, {32, 24}));
  EXPECT_FALSE(drmclient::is_inside({16, 12}, {16, 13}, {32, 24}));
}

TEST(IsInside, LargestOriginDoesNotOverflow) {
  EXPECT_FALSE(drmclient::is_inside({16, 12}, {4'294'967'295, 0}, {32, 24}));
}

TEST(Rect, EndCoordinatesAreExclusive) {
  const Rect rect{10, 20, 13, 25};
  EXPECT_EQ(rect.width(), 3U);
  EXPECT_EQ(rect.height(), 5U);
  EXPECT_EQ(rect.area(), 15U);
}

TEST(Rect, RectWithoutColumnsOrLinesIsEmpty) {
  EXPECT_TRUE((Rect{5, 0, 5, 10}.empty()));
  EXPECT_TRUE((Rect{0, 7, 10, 7}.empty()));
  EXPECT_FALSE((Rect{5, 7, 6, 8}.empty()));
}

TEST(Rect, InvertedRectIsEmptyAndHasNoArea) {
  const Rect rect{10, 10, 4, 20};
  EXPECT_TRUE(rect.empty());
  EXPECT_EQ(rect.width(), 0U);
  EXPECT_EQ(rect.height(), 0U);
  EXPECT_EQ(rect.area(), 0U);
}

TEST(Rect, NegativeCoordinatesCountInArea) {
  EXPECT_EQ((Rect{-4, -3, 2, 1}.area()), 24U);
}

TEST(Rect, ClippingKeepsPartInsideBounds) {
  EXPECT_EQ((Rect{-5, 2, 8, 30}.clipped_to({0, 0, 10, 10})), (Rect{0, 2, 8, 10}));
}

TEST(Rect, ClippingToDisjointBoundsIsEmpty) {
  EXPECT_TRUE((Rect{0, 0, 5, 5}.clipped_to({5, 0, 10, 10}).empty()));
  EXPECT_TRUE((Rect{20, 20, 25, 25}.clipped_to({0, 0, 10, 10}).empty()));
}

RC_GTEST_PROP(Rect, ClippedRectContainsPixelsOfBoth, ()) {
  const auto side = [] { return *rc::gen::inRange(-6, 7); };
  const Rect one{side(), side(), side(), side()};
  const Rect bounds{side(), side(), side(), side()};
  const auto contains = [](const Rect& rect, int x, int y) {
    return rect.x1 <= x && x < rect.x2 && rect.y1 <= y && y < rect.y2;
  };
  const Rect clipped = one.clipped_to(bounds);
  for (int y = -7; y < 8; ++y) {
    for (int x = -7; x < 8; ++x) {
      RC_ASSERT(contains(clipped, x, y) == (contains(one, x, y) && contains(bounds, x, y)));
    }
  }
}
