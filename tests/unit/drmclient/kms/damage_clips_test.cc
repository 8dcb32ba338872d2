#include "drmclient/kms/damage_clips.h"

#include <gtest/gtest.h>

#include "drmclient/card.h"

using drmclient::Card;
using drmclient::clamp_damage;
using drmclient::Rect;
using drmclient::Size;
using drmclient::to_clips;

namespace {

constexpr Size screen{1280, 800};

std::vector<Rect> clamped(const Rect& rect) {
  return clamp_damage({&rect, 1}, screen).value();
}

}  // namespace

TEST(DamageClips, RectangleInsideIsUnchanged) {
  const Rect whole{0, 0, 1280, 800};
  EXPECT_EQ(clamped(whole), std::vector{whole});
  const Rect pixel{1279, 799, 1280, 800};
  EXPECT_EQ(clamped(pixel), std::vector{pixel});
}

TEST(DamageClips, RectangleAcrossEdgeIsClippedOnEverySide) {
  EXPECT_EQ(clamped({-5, -6, 10, 20}), (std::vector<Rect>{{0, 0, 10, 20}}));
  EXPECT_EQ(clamped({1270, 790, 1300, 900}), (std::vector<Rect>{{1270, 790, 1280, 800}}));
  EXPECT_EQ(clamped({INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX}), (std::vector<Rect>{{0, 0, 1280, 800}}));
}

TEST(DamageClips, OutsideEmptyAndInvertedRectanglesAreDropped) {
  EXPECT_TRUE(clamped({1280, 0, 1290, 10}).empty());
  EXPECT_TRUE(clamped({0, 800, 10, 810}).empty());
  EXPECT_TRUE(clamped({-10, -10, 0, 0}).empty());
  EXPECT_TRUE(clamped({5, 5, 5, 9}).empty());
  EXPECT_TRUE(clamped({9, 9, 5, 5}).empty());
}

TEST(DamageClips, MoreThan256RectanglesReturnEinval) {
  const std::vector<Rect> most(Card::max_damage_rects, Rect{0, 0, 1, 1});
  EXPECT_EQ(clamp_damage(most, screen)->size(), 256U);
  const std::vector<Rect> more(Card::max_damage_rects + 1, Rect{0, 0, 1, 1});
  EXPECT_EQ(clamp_damage(more, screen).error().value(), EINVAL);
}

TEST(DamageClips, ClipsKeepCoordinates) {
  const std::vector<Rect> rects{{1, 2, 3, 4}, {0, 0, 65'535, 65'535}};
  const auto clips = to_clips(rects);
  ASSERT_EQ(clips.size(), 2U);
  EXPECT_EQ(clips[0].x1, 1);
  EXPECT_EQ(clips[0].y1, 2);
  EXPECT_EQ(clips[0].x2, 3);
  EXPECT_EQ(clips[0].y2, 4);
  EXPECT_EQ(clips[1].x2, 65'535);
}
