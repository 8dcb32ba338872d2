#include <gtest/gtest.h>

#include "fbemu/output/presenter.h"
#include "tests/support/presenter_fixture.h"

using fbemu::TrackingPolicy;

namespace {

/// A screen of 256x256 pixels, that is 64 pages: large enough for hot mode.
class PresenterHot : public unit::PresenterFixture {
 protected:
  PresenterHot() { visible = virtual_size = {256, 256}; }

  [[nodiscard]] bool is_hot() const { return presenter->status().tracker == TrackingPolicy::Mode::hot; }
  /// Draws a full frame before each tick until the presenter is hot.
  void go_hot() {
    start();
    presenter->set_writers(1);
    for (uint64_t i = 0; i < 2 * TrackingPolicy::window_ticks && statistics.hot_periods == 0; ++i) {
      draw_everything(++frame_);
      tick();
    }
    ASSERT_EQ(statistics.hot_periods, 1U);
  }
  void play(int frames) {
    for (int i = 0; i < frames; ++i) {
      draw_everything(++frame_);
      tick();
    }
  }

 private:
  uint64_t frame_ = 0;
};

}  // namespace

TEST_F(PresenterHot, FullFramesMakeItHot) {
  go_hot();
  flush();
  EXPECT_TRUE(is_hot());
}

TEST_F(PresenterHot, EachTickShowsLivePages) {
  go_hot();
  for (int i = 0; i < 50; ++i) {
    play(1);
    ASSERT_EQ(screen(), program_picture());
  }
}

TEST_F(PresenterHot, TicksWithoutSampleCleanNoPage) {
  go_hot();
  play(1);
  const uint64_t faults = pages->faults();
  play(20);
  EXPECT_EQ(pages->faults(), faults);
}

TEST_F(PresenterHot, CountsItsTicksAndUploads) {
  go_hot();
  const uint64_t hot_ticks = statistics.hot_ticks;
  const uint64_t uploaded = statistics.uploaded_bytes;
  const uint64_t tracked = statistics.tracked_bytes;
  play(10);
  EXPECT_EQ(statistics.hot_ticks, hot_ticks + 10);
  EXPECT_EQ(statistics.uploaded_bytes, uploaded + 10U * 256 * 256 * 4);
  EXPECT_EQ(statistics.tracked_bytes, tracked) << "what hot mode uploads is not damage";
}

TEST_F(PresenterHot, FlushShowsLivePages) {
  go_hot();
  draw(100, 100, 0x707070);
  flush();
  EXPECT_EQ(shown(100, 100), 0x707070U);
}

TEST_F(PresenterHot, CaptureShowsLivePages) {
  go_hot();
  draw_everything(77);
  EXPECT_EQ(presenter->capture()->pixels, program_picture());
}

TEST_F(PresenterHot, EndOfDrawingLosesNothing) {
  go_hot();
  play(7);
  draw(200, 200, 0x010203);
  for (int i = 0; i < 200 && statistics.ticks < 400; ++i) {
    tick();
    if (i % 5 == 0) draw(static_cast<uint32_t>(i), 10, 0x00beef);
  }
  tick();
  flush();
  EXPECT_FALSE(is_hot());
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterHot, PixelDrawnAtAnyTickAroundEndOfHotModeIsShown) {
  go_hot();
  for (uint32_t i = 0; i < 120; ++i) {
    draw(i, 128, 0xff0000 + i);
    tick();
    ASSERT_EQ(shown(i, 128), 0xff0000U + i) << "tick " << i;
  }
  EXPECT_FALSE(is_hot());
}

TEST_F(PresenterHot, LastCloseShowsDeliveredPages) {
  go_hot();
  draw_everything(99);
  pages->write_all_back();
  presenter->set_writers(0);
  tick();
  flush();
  EXPECT_EQ(screen(), program_picture());
  EXPECT_FALSE(is_hot());
}

TEST_F(PresenterHot, RefusedPresentsLoseNothing) {
  go_hot();
  card->refuse_presents = EBUSY;
  play(5);
  card->refuse_presents = 0;
  for (int i = 0; i < 120; ++i) tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterHot, UnreadableLivePagesShowBackingStoreAndLoseNothing) {
  go_hot();
  pages->read_error = EIO;
  play(5);
  pages->read_error = 0;
  for (int i = 0; i < 120; ++i) tick();
  EXPECT_EQ(screen(), program_picture());
}
