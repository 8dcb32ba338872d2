#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "fbemu/output/presenter.h"
#include "tests/support/enabled_card.h"
#include "tests/support/presenter_fixture.h"
#include "tests/support/vblank_clock.h"

using drmclient::make_mode;
using drmclient::Power;

namespace {

class PresenterRequests : public unit::PresenterFixture {
 protected:
  [[nodiscard]] fbemu::FramebufferState fb_state_of(drmclient::Size size) const {
    fbemu::FramebufferState other = fb_state;
    other.mode = make_mode(size);
    other.size = size;
    return other;
  }
};

}  // namespace

TEST_F(PresenterRequests, WaitForVblankCompletesAtVblank) {
  start();
  std::atomic<int> completed{0};
  presenter->at_vblank([&](int error) { completed += error == 0 ? 1 : 100; });
  flush();
  EXPECT_EQ(completed, 0) << "a flush is no vblank";
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return completed > 0; }));
  EXPECT_EQ(completed, 1);
}

TEST_F(PresenterRequests, EveryWaitCompletesExactlyOnce) {
  start(Vblanks::at_once);
  std::atomic<int> completed{0};
  constexpr int waits = 200;
  for (int i = 0; i < waits; ++i) presenter->at_vblank([&](int) { ++completed; });
  EXPECT_TRUE(unit::eventually([&] { return completed == waits; }));
  flush();
  tick();
  EXPECT_EQ(completed, waits);
}

TEST_F(PresenterRequests, WaitsFromManyThreadsCompleteExactlyOnce) {
  start(Vblanks::at_once);
  std::atomic<int> completed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        presenter->at_vblank([&](int) { ++completed; });
        presenter->flush([&](int) { ++completed; });
        presenter->show(fb_state, [&](int) { ++completed; });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop();
  EXPECT_EQ(completed, 8 * 50 * 3);
}

TEST_F(PresenterRequests, WaitCompletesAfterPresent) {
  start();
  presenter->set_writers(1);
  draw(3, 5, 0x00ff00);
  std::promise<uint32_t> seen;
  presenter->at_vblank([&](int) { seen.set_value(card->output().capture()->pixels[5 * 64 + 3]); });
  ASSERT_TRUE(card->step());
  EXPECT_EQ(seen.get_future().get(), 0x00ff00U);
}

TEST_F(PresenterRequests, FlushNeedsNoVblank) {
  start();
  write(3, 5, 0x123456);
  flush();
  EXPECT_EQ(statistics.ticks, 0U);
  EXPECT_EQ(shown(3, 5), 0x123456U);
}

TEST_F(PresenterRequests, FlushCompletesAfterPresent) {
  start();
  write(3, 5, 0x123456);
  std::promise<uint32_t> seen;
  presenter->flush([&](int) { seen.set_value(card->output().capture()->pixels[5 * 64 + 3]); });
  EXPECT_EQ(seen.get_future().get(), 0x123456U);
}

TEST_F(PresenterRequests, CaptureShowsDrawnPixelsWithoutVblank) {
  start();
  presenter->set_writers(1);
  draw_everything(3);
  const auto capture = presenter->capture();
  ASSERT_TRUE(capture.has_value());
  EXPECT_EQ(capture->size, visible);
  EXPECT_EQ(capture->pixels, program_picture());
  EXPECT_EQ(statistics.ticks, 0U);
}

TEST_F(PresenterRequests, StateIsShownFromNextVblankOn) {
  start();
  draw_everything(5);
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {1, 90};
  std::atomic<int> result{-1};
  presenter->show(panned, [&](int error) { result = error; });
  flush();
  EXPECT_EQ(result, -1);
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return result == 0; }));
  EXPECT_EQ(screen(), program_picture(panned));
}

TEST_F(PresenterRequests, LastOfTwoStatesIsShownAndBothComplete) {
  start();
  draw_everything(5);
  fbemu::FramebufferState first = fb_state;
  first.offset = {1, 90};
  fbemu::FramebufferState last = fb_state;
  last.offset = {30, 2};
  std::atomic<int> completed{0};
  presenter->show(first, [&](int error) { completed += error == 0 ? 1 : 100; });
  presenter->show(last, [&](int error) { completed += error == 0 ? 1 : 100; });
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return completed == 2; }));
  EXPECT_EQ(screen(), program_picture(last));
}

TEST_F(PresenterRequests, AnotherModeIsSetAndCounted) {
  start();
  draw_everything(6);
  const auto smaller = fb_state_of({32, 24});
  ASSERT_EQ(show(smaller), 0);
  EXPECT_EQ(screen(), program_picture(smaller));
  EXPECT_EQ(statistics.mode_sets, 2U);
  EXPECT_EQ(presenter->status().mode, smaller.mode);
}

TEST_F(PresenterRequests, BorderOfSmallerPictureIsBlack) {
  start();
  draw_everything(6);
  auto smaller = fb_state;
  for (const drmclient::Size size :
       {drmclient::Size{20, 10}, drmclient::Size{64, 30}, drmclient::Size{9, 64}}) {
    smaller.size = size;
    ASSERT_EQ(show(smaller), 0);
    const drmclient::Rect picture = smaller.view_transform().target();
    const auto pixels = program_picture(smaller);
    std::vector<uint32_t> expected(visible.area(), 0);
    for (uint32_t y = 0; y < size.height; ++y) {
      for (uint32_t x = 0; x < size.width; ++x) {
        const auto line = static_cast<uint32_t>(picture.y1) + y;
        expected.at(size_t{line} * visible.width + static_cast<uint32_t>(picture.x1) + x) =
            pixels.at(size_t{y} * size.width + x);
      }
    }
    EXPECT_EQ(screen(), expected);
  }
}

TEST_F(PresenterRequests, DamageAfterModeSetIsShown) {
  start();
  const auto smaller = fb_state_of({32, 24});
  ASSERT_EQ(show(smaller), 0);
  write(31, 23, 0x0f0f0f);
  tick();
  EXPECT_EQ(screen(), program_picture(smaller));
}

TEST_F(PresenterRequests, BlankShowsBlackAndUnblankCurrentPicture) {
  start();
  presenter->set_writers(1);
  draw(1, 1, 0x111111);
  tick();
  presenter->set_power(Power::off);
  flush();
  EXPECT_EQ(presenter->status().power, Power::off);
  EXPECT_EQ(screen(), std::vector<uint32_t>(64 * 64));
  draw(2, 2, 0x222222);
  write(3, 3, 0x333333);
  ticks(3);
  EXPECT_EQ(screen(), std::vector<uint32_t>(64 * 64));
  presenter->set_power(Power::on);
  flush();
  tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterRequests, DamageFlushedWhileBlankIsShownAfterUnblank) {
  start();
  presenter->set_power(Power::standby);
  flush();
  write(3, 3, 0x333333);
  flush();
  presenter->set_power(Power::on);
  tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterRequests, UnblankingUploadsWholePicture) {
  start();
  presenter->set_power(Power::off);
  flush();
  presenter->set_power(Power::on);
  tick();
  EXPECT_EQ(statistics.uploaded_bytes, 64U * 64 * 4);
}

TEST_F(PresenterRequests, WaitWhileBlankCompletesToo) {
  start();
  presenter->set_power(Power::off);
  flush();
  tick();
}

TEST_F(PresenterRequests, ModeSetUnblanks) {
  start();
  presenter->set_power(Power::off);
  flush();
  ASSERT_EQ(show(fb_state_of({32, 24})), 0);
  EXPECT_EQ(presenter->status().power, Power::on);
}

TEST_F(PresenterRequests, StopCompletesAllRequests) {
  start();
  std::atomic<int> completed{0};
  presenter->at_vblank([&](int) { ++completed; });
  presenter->flush([&](int) { ++completed; });
  presenter->show(fb_state, [&](int) { ++completed; });
  stop();
  EXPECT_EQ(completed, 3);
}

TEST_F(PresenterRequests, AfterStopRequestsAreAnsweredAtOnce) {
  start();
  stop();
  int completed = 0;
  presenter->at_vblank([&](int) { ++completed; });
  presenter->flush([&](int) { ++completed; });
  presenter->show(fb_state, [&](int) { ++completed; });
  EXPECT_EQ(completed, 3);
  EXPECT_EQ(presenter->capture().error().value(), ESHUTDOWN);
}

TEST_F(PresenterRequests, StoppingTwiceOrWithoutStartingIsHarmless) {
  build(Vblanks::stepped);
  presenter->stop();
  presenter->stop();
  std::atomic<int> completed{0};
  presenter->at_vblank([&](int) { ++completed; });
  EXPECT_EQ(completed, 1);
}

TEST_F(PresenterRequests, StopCompletesRequestsBeforeStart) {
  build(Vblanks::stepped);
  int completed = 0;
  presenter->at_vblank([&](int) { ++completed; });
  presenter->flush([&](int) { ++completed; });
  presenter->show(fb_state, [&](int) { ++completed; });
  EXPECT_EQ(completed, 0);
  presenter->stop();
  EXPECT_EQ(completed, 3);
}

TEST_F(PresenterRequests, RequestsThatRaceWithStopAreAllAnswered) {
  for (int round = 0; round < 20; ++round) {
    start(Vblanks::at_once);
    std::atomic<int> completed{0};
    std::thread asking([&] {
      for (int i = 0; i < 50; ++i) presenter->at_vblank([&](int) { ++completed; });
    });
    stop();
    asking.join();
    ASSERT_EQ(completed, 50);
  }
}

// Every call of the presenter locks its mutex, so a completion that ran with the lock held would block
// forever.
TEST_F(PresenterRequests, CompletionsMayCallThePresenter) {
  build(Vblanks::stepped);
  std::atomic<int> completed{0};
  const fbemu::Presenter::Completion call_back = [&](int) {
    static_cast<void>(presenter->status());
    presenter->flush({});
    ++completed;
  };
  const auto request_all = [&] {
    presenter->at_vblank(call_back);
    presenter->flush(call_back);
    presenter->show(fb_state, call_back);
  };
  presenter->start(fb_state, &*pages);
  request_all();
  ASSERT_TRUE(card->step());
  ASSERT_TRUE(unit::eventually([&] { return completed == 3; }));
  request_all();
  stop();
  EXPECT_EQ(completed, 6);
  request_all();
  EXPECT_EQ(completed, 9);
}

TEST_F(PresenterRequests, CompletionsOfAPresenterWithoutThreadMayCallIt) {
  build(Vblanks::stepped);
  int completed = 0;
  presenter->at_vblank([&](int) {
    static_cast<void>(presenter->status());
    presenter->flush({});
    ++completed;
  });
  stop();
  EXPECT_EQ(completed, 1);
}

TEST_F(PresenterRequests, EmptyCompletionsAreAllowed) {
  start();
  presenter->at_vblank({});
  presenter->flush({});
  presenter->show(fb_state, {});
  tick();
}

TEST_F(PresenterRequests, HotplugUpdatesStatus) {
  start();
  card->plug(false);
  EXPECT_TRUE(unit::eventually([&] { return !presenter->status().output.connected; }));
  EXPECT_TRUE(presenter->status().output.modes.empty());
  card->plug(true);
  EXPECT_TRUE(unit::eventually([&] { return presenter->status().output.connected; }));
  EXPECT_EQ(presenter->status().output.modes.size(), 1U);
}

TEST_F(PresenterRequests, IdleAfterPresent) {
  start();
  write(1, 1, 1);
  flush();
  // The wake-up of the write may come after that of the flush, which took its damage along.
  EXPECT_TRUE(unit::eventually([&] { return presenter->idle(); }));
  EXPECT_TRUE(damage.empty());
}

TEST(PresenterOnAHeadlessCard, SleepsWithoutOpenFile) {
  drmclient::HeadlessOptions options;
  options.size = {64, 64};
  options.refresh_millihertz = 500'000;
  drmclient::HeadlessCard card(options);
  fbemu::FramebufferState fb_state;
  fb_state.mode = make_mode({64, 64}, 500'000);
  fb_state.size = {64, 64};
  fb_state.layout.virtual_size = {64, 64};
  fb_state.layout.pitch_bytes = 256;
  fbemu::BackingStore backing_store(16'384);
  fbemu::DamageLog damage;
  fbemu::Statistics statistics;
  fbemu::Presenter presenter(card, *card.probe()->front(), backing_store, damage, statistics);
  presenter.start(fb_state, nullptr);
  unit::VblankClock(make_mode({16, 12}, 500'000)).wait_frames(20);
  EXPECT_EQ(statistics.ticks, 0U);
  presenter.set_writers(1);
  EXPECT_TRUE(unit::eventually([&] { return statistics.ticks > 3; }));
  presenter.stop();
}
