#include "fbemu/pixels/view_transform.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

using drmclient::Rect;
using drmclient::Size;
using fbemu::Rotation;
using fbemu::Scaling;
using fbemu::ViewTransform;

TEST(ViewTransform, PictureOfOutputSizeIsPlain) {
  const ViewTransform transform({64, 48}, Rotation::none, Scaling::fit, {64, 48});
  EXPECT_TRUE(transform.is_plain());
  EXPECT_TRUE(transform.covers_output());
  EXPECT_EQ(transform.to_output({1, 2, 3, 4}), (Rect{1, 2, 3, 4}));
}

TEST(ViewTransform, UnscaledPictureIsCentred) {
  const ViewTransform transform({320, 200}, Rotation::none, Scaling::none, {641, 480});
  EXPECT_TRUE(transform.is_plain());
  EXPECT_FALSE(transform.covers_output());
  EXPECT_EQ(transform.target(), (Rect{160, 140, 480, 340}));
  EXPECT_EQ(transform.to_output({0, 0, 1, 1}), (Rect{160, 140, 161, 141}));
}

TEST(ViewTransform, FitKeepsProportions) {
  EXPECT_EQ(ViewTransform({320, 200}, Rotation::none, Scaling::fit, {1280, 1024}).target(),
            (Rect{0, 112, 1280, 912}));
  EXPECT_EQ(ViewTransform({200, 320}, Rotation::none, Scaling::fit, {1280, 640}).target(),
            (Rect{440, 0, 840, 640}));
}

TEST(ViewTransform, IntegerUsesWholeFactor) {
  const ViewTransform transform({320, 200}, Rotation::none, Scaling::integer, {1280, 700});
  EXPECT_EQ(transform.target(), (Rect{160, 50, 1120, 650}));
  EXPECT_FALSE(transform.blends());
  EXPECT_EQ(transform.to_output({1, 1, 2, 3}), (Rect{163, 53, 166, 59}));
}

TEST(ViewTransform, PictureLargerThanOutputIsScaledDown) {
  for (const Scaling scaling : {Scaling::none, Scaling::fit, Scaling::integer}) {
    EXPECT_EQ(ViewTransform({128, 96}, Rotation::none, scaling, {64, 64}).target(), (Rect{0, 8, 64, 56}));
  }
}

TEST(ViewTransform, QuarterTurnSwapsSides) {
  const ViewTransform transform({48, 64}, Rotation::clockwise, Scaling::none, {64, 48});
  EXPECT_FALSE(transform.is_plain());
  EXPECT_TRUE(transform.covers_output());
  // The view's top left corner is at the top right of the output, its top right corner at the bottom right.
  EXPECT_EQ(transform.to_output({0, 0, 1, 1}), (Rect{63, 0, 64, 1}));
  EXPECT_EQ(transform.to_output({47, 0, 48, 1}), (Rect{63, 47, 64, 48}));
}

RC_GTEST_PROP(ViewTransform, RandomPixelIsShownInsideItsRectangle, ()) {
  const Size view{*rc::gen::inRange(1U, 40U), *rc::gen::inRange(1U, 40U)};
  const Size output{*rc::gen::inRange(1U, 80U), *rc::gen::inRange(1U, 80U)};
  const auto rotation = static_cast<Rotation>(*rc::gen::inRange(0, 4));
  const auto scaling = *rc::gen::element(Scaling::none, Scaling::fit, Scaling::integer);
  const ViewTransform transform(view, rotation, scaling, output);
  const auto x = *rc::gen::inRange(0, static_cast<int>(view.width));
  const auto y = *rc::gen::inRange(0, static_cast<int>(view.height));
  const Rect shown = transform.to_output({x, y, x + 1, y + 1});
  RC_ASSERT(shown.clipped_to(transform.target()) == shown);
  const auto affine = transform.to_view();
  const Rect& target = transform.target();
  for (int v = target.y1; v < target.y2; ++v) {
    for (int u = target.x1; u < target.x2; ++u) {
      const double from_x = affine.xx * (u + 0.5) + affine.xy * (v + 0.5) + affine.x0;
      const double from_y = affine.yx * (u + 0.5) + affine.yy * (v + 0.5) + affine.y0;
      RC_ASSERT(from_x > 0 && from_x < view.width && from_y > 0 && from_y < view.height);
      const bool reads = std::floor(from_x) == x && std::floor(from_y) == y;
      RC_ASSERT(!reads || (u >= shown.x1 && u < shown.x2 && v >= shown.y1 && v < shown.y2));
    }
  }
}
