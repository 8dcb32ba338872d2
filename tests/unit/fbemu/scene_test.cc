#include "fbemu/scene.h"

#include <gtest/gtest.h>

using fbemu::ByteRange;
using fbemu::Scene;

TEST(Scene, TheVisiblePartIsTheModeAtTheOffset) {
  Scene scene;
  scene.mode = drmclient::make_mode({64, 48});
  scene.layout.pitch_bytes = 400;
  scene.layout.virtual_size = {100, 200};
  scene.offset = {10, 20};
  EXPECT_EQ(scene.visible(), (drmclient::Rect{10, 20, 74, 68}));
}

TEST(Scene, TheVisibleBytesAreThoseOfWholeLines) {
  Scene scene;
  scene.mode = drmclient::make_mode({64, 48});
  scene.layout.pitch_bytes = 400;
  scene.layout.virtual_size = {100, 200};
  scene.offset = {10, 20};
  EXPECT_EQ(scene.visible_bytes(), (ByteRange{8'000, 27'200}));
}
