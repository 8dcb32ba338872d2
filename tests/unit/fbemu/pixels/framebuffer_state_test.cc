#include "fbemu/pixels/framebuffer_state.h"

#include <gtest/gtest.h>

using drmclient::Point;
using drmclient::Rect;
using fbemu::ByteRange;
using fbemu::Scene;

namespace {

Scene some_scene() {
  Scene scene;
  scene.mode = drmclient::make_mode({64, 48});
  scene.size = {64, 48};
  scene.layout.pitch_bytes = 400;
  scene.layout.virtual_size = {100, 200};
  scene.offset = {10, 20};
  return scene;
}

}  // namespace

TEST(Scene, TheViewIsTheModeAtTheOffset) {
  const auto parts = some_scene().parts();
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].view, (Rect{0, 0, 64, 48}));
  EXPECT_EQ(parts[0].from, (Point{10, 20}));
}

TEST(Scene, TheVisibleBytesAreThoseOfWholeLines) {
  EXPECT_EQ(some_scene().visible_bytes(), (ByteRange{8'000, 27'200}));
}

TEST(Scene, BelowTheLastLineComesTheFirstWhereItWraps) {
  Scene scene = some_scene();
  scene.wraps = true;
  EXPECT_EQ(scene.parts().size(), 1U);
  scene.offset.y = 170;
  const auto parts = scene.parts();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].view, (Rect{0, 0, 64, 30}));
  EXPECT_EQ(parts[0].from, (Point{10, 170}));
  EXPECT_EQ(parts[1].view, (Rect{0, 30, 64, 48}));
  EXPECT_EQ(parts[1].from, (Point{10, 0}));
  EXPECT_EQ(scene.visible_bytes(), (ByteRange{0, 80'000}));
}

TEST(Scene, AnOffsetOfTheWholeHeightIsTheStart) {
  Scene scene = some_scene();
  scene.wraps = true;
  scene.offset.y = 200;
  ASSERT_EQ(scene.parts().size(), 1U);
  EXPECT_EQ(scene.parts()[0].from, (Point{10, 0}));
}
