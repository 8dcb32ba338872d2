#include <gtest/gtest.h>

#include <atomic>

#include "fbemu/output/presenter.h"
#include "tests/support/presenter_fixture.h"

namespace {

/// A presenter whose output is not enabled, as on a shared screen behind another terminal: the card has no
/// vblanks for it. The frames end by the clock that the test advances.
class PresenterDisabled : public unit::PresenterFixture {
 protected:
  PresenterDisabled() {
    shared = true;
    clock = &manual_clock;
  }
  ~PresenterDisabled() override { stop(); }

  void begin() {
    start();
    card->refuse_vblanks = EINVAL;
  }
  /// A program that does nothing but write and fsync, many times in each frame, until `completed` says that
  /// the request of another was answered; false if that never comes.
  [[nodiscard]] bool completes_beside_a_busy_program(const std::atomic<int>& completed) {
    constexpr int rounds = 200;
    for (int i = 0; i < rounds && completed == 0; ++i) {
      write(1, 1, static_cast<uint32_t>(i));
      flush();
      manual_clock.advance(fb_state.mode.frame_period() / 4);
    }
    return completed == 1;
  }
};

}  // namespace

TEST_F(PresenterDisabled, WaitForVblankBesideWritesAndFsyncsCompletesAfterFrame) {
  begin();
  std::atomic<int> completed{0};
  presenter->at_vblank([&](int) { ++completed; });
  EXPECT_TRUE(completes_beside_a_busy_program(completed));
}

TEST_F(PresenterDisabled, StateBesideWritesAndFsyncsCompletesAfterFrame) {
  begin();
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {16, 64};
  std::atomic<int> completed{0};
  presenter->show(panned, [&](int) { ++completed; });
  EXPECT_TRUE(completes_beside_a_busy_program(completed));
}

TEST_F(PresenterDisabled, WaitForVblankDoesNotCompleteBeforeFrameEnds) {
  begin();
  std::atomic<int> completed{0};
  presenter->at_vblank([&](int) { ++completed; });
  // The frame begins before the presenter waits for the second flush.
  flush();
  flush();
  manual_clock.advance(fb_state.mode.frame_period() - std::chrono::nanoseconds(1));
  flush();
  flush();
  EXPECT_EQ(completed, 0);
  manual_clock.advance(std::chrono::nanoseconds(1));
  EXPECT_TRUE(unit::eventually([&] { return completed == 1; }));
}

TEST_F(PresenterDisabled, FlushTakesDamageOfDisabledOutput) {
  begin();
  write(1, 1, 0x111111);
  flush();
  EXPECT_TRUE(damage.empty());
}

TEST_F(PresenterDisabled, FlushedPictureIsShownOnEnable) {
  begin();
  write(1, 1, 0x111111);
  flush();
  card->refuse_vblanks = 0;
  presenter->set_writers(1);
  tick();
  EXPECT_EQ(screen(), program_picture());
  EXPECT_EQ(shown(1, 1), 0x111111U);
}

TEST_F(PresenterDisabled, VblanksAreCountedByClock) {
  build(Vblanks::stepped);
  EXPECT_EQ(presenter->vblank_count(), 0U);
  manual_clock.advance(std::chrono::hours(1));
  EXPECT_EQ(presenter->vblank_count(), 0U) << "counts from the start on";
  presenter->start(fb_state, &*pages);
  EXPECT_EQ(presenter->vblank_count(), 0U);
  manual_clock.advance(3 * fb_state.mode.frame_period());
  EXPECT_EQ(presenter->vblank_count(), 3U);
}
