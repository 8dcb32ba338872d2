#include "fbemu/pixels/framebuffer_state.h"

#include <gtest/gtest.h>

using drmclient::Point;
using drmclient::Rect;
using fbemu::ByteRange;
using fbemu::FramebufferState;

namespace {

FramebufferState some_fb_state() {
  FramebufferState fb_state;
  fb_state.mode = drmclient::make_mode({64, 48});
  fb_state.size = {64, 48};
  fb_state.layout.pitch_bytes = 400;
  fb_state.layout.virtual_size = {100, 200};
  fb_state.offset = {10, 20};
  return fb_state;
}

}  // namespace

TEST(FramebufferState, ViewWithoutWrapIsOnePart) {
  const auto parts = some_fb_state().parts();
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].view, (Rect{0, 0, 64, 48}));
  EXPECT_EQ(parts[0].from, (Point{10, 20}));
}

TEST(FramebufferState, VisibleBytesAreWholeLines) {
  EXPECT_EQ(some_fb_state().visible_bytes(), (ByteRange{8'000, 27'200}));
}

TEST(FramebufferState, WrappedViewHasTwoParts) {
  FramebufferState fb_state = some_fb_state();
  fb_state.wraps = true;
  EXPECT_EQ(fb_state.parts().size(), 1U);
  fb_state.offset.y = 170;
  const auto parts = fb_state.parts();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].view, (Rect{0, 0, 64, 30}));
  EXPECT_EQ(parts[0].from, (Point{10, 170}));
  EXPECT_EQ(parts[1].view, (Rect{0, 30, 64, 48}));
  EXPECT_EQ(parts[1].from, (Point{10, 0}));
  EXPECT_EQ(fb_state.visible_bytes(), (ByteRange{0, 80'000}));
}

TEST(FramebufferState, OffsetOfWholeHeightWrapsToFirstLine) {
  FramebufferState fb_state = some_fb_state();
  fb_state.wraps = true;
  fb_state.offset.y = 200;
  ASSERT_EQ(fb_state.parts().size(), 1U);
  EXPECT_EQ(fb_state.parts()[0].from, (Point{10, 0}));
}
