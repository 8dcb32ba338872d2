#include "fbemu/output/output_presenter.h"

#include <gtest/gtest.h>

#include "tests/support/output_presenter_fixture.h"

using base::failure;
using drmclient::PixelFormat;
using drmclient::Power;
using drmclient::Rect;
using fbemu::OutputPresenter;

namespace {

/// Enabling, buffers, flips and power of one output.
class OutputPresenterOfACard : public unit::OutputPresenterFixture {
 protected:
  void make() {
    build();
    screen.emplace(*card, outputs().front(), *shadow, statistics, std::nullopt,
                   OutputPresenter::Role::primary, clock);
  }
  void make_output() {
    make();
    ASSERT_TRUE(screen->enable(fb_state).has_value());
  }
  /// Uploads what is stale and presents it.
  void show_all() {
    screen->upload_all();
    present();
  }
  void present() {
    const auto frame = screen->next_frame();
    ASSERT_TRUE(frame.has_value());
    ASSERT_TRUE(
        screen->presented(card->present(frame->output, *frame->buffer, frame->origin, frame->damage)));
  }

  std::optional<OutputPresenter> screen;
};

}  // namespace

TEST_F(OutputPresenterOfACard, LightShowsTheScene) {
  make();
  EXPECT_FALSE(screen->is_enabled());
  ASSERT_TRUE(screen->enable(fb_state).has_value());
  EXPECT_TRUE(screen->is_visible());
  EXPECT_EQ(screen->fb_state(), fb_state);
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_EQ(statistics.mode_sets, 1U);
}

TEST_F(OutputPresenterOfACard, LightReadsTheLivePixels) {
  make();
  screen->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  ASSERT_TRUE(screen->enable(fb_state).has_value());
  EXPECT_EQ(shown().front(), 0x123456U);
}

TEST_F(OutputPresenterOfACard, LightWithARefusedModeReturnsItsErrnoAndStaysDark) {
  make();
  card->refuse_modes = EINVAL;
  EXPECT_EQ(screen->enable(fb_state).error().value(), EINVAL);
  EXPECT_FALSE(screen->is_enabled());
  EXPECT_FALSE(screen->waits_for_screen());
}

TEST_F(OutputPresenterOfACard, LightWithoutABufferReturnsItsErrno) {
  make();
  card->refuse_buffers = ENOMEM;
  EXPECT_EQ(screen->enable(fb_state).error().value(), ENOMEM);
}

TEST_F(OutputPresenterOfACard, LightWithARefusedModeKeepsThePictureBefore) {
  make_output();
  card->refuse_modes = EINVAL;
  EXPECT_FALSE(screen->enable(fb_state_of({32, 24})).has_value());
  EXPECT_TRUE(screen->is_enabled());
  EXPECT_EQ(screen->fb_state(), fb_state);
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, LightTakesTheProgramsFormatIfTheCardHasIt) {
  headless.formats = {PixelFormat::bgrx8888, PixelFormat::xrgb8888};
  make_output();
  EXPECT_EQ(screen->format(), PixelFormat::xrgb8888);
}

TEST_F(OutputPresenterOfACard, LightTakesTheNextFormatIfOneIsRefused) {
  headless.formats = {PixelFormat::xrgb8888, PixelFormat::bgrx8888};
  make();
  card->refuse_format = PixelFormat::xrgb8888;
  ASSERT_TRUE(screen->enable(fb_state).has_value());
  EXPECT_EQ(screen->format(), PixelFormat::bgrx8888);
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, CheckReturnsTheErrnoOfABufferThatCannotBeMade) {
  make();
  EXPECT_TRUE(screen->check(fb_state).has_value());
  card->refuse_buffers = ENOSPC;
  EXPECT_EQ(screen->check(fb_state).error().value(), ENOSPC);
  EXPECT_FALSE(screen->is_enabled());
}

TEST_F(OutputPresenterOfACard, UnchangedScreenHasNoFrame) {
  make_output();
  EXPECT_FALSE(screen->has_work());
  EXPECT_FALSE(screen->next_frame().has_value());
}

TEST_F(OutputPresenterOfACard, DamageIsPresentedAsItsRectangle) {
  make_output();
  screen->upload_damage({write(3, 5, 0x123456)});
  const auto frame = screen->next_frame();
  ASSERT_TRUE(frame.has_value());
  ASSERT_EQ(frame->damage.size(), 1U);
  EXPECT_EQ(frame->damage.front(), (Rect{3, 5, 4, 6}));
  present();
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_FALSE(screen->has_work());
}

TEST_F(OutputPresenterOfACard, DamageOutsideTheViewHasNoFrame) {
  make_output();
  screen->upload_damage({write(80, 5, 0x123456), write(3, 100, 0x123456)});
  EXPECT_FALSE(screen->next_frame().has_value());
}

TEST_F(OutputPresenterOfACard, RefusedPresentKeepsTheDamageForTheNextFrame) {
  make_output();
  screen->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(screen->next_frame().has_value());
  EXPECT_TRUE(screen->presented(failure(EIO)));
  EXPECT_EQ(screen->error().value(), EIO);
  EXPECT_TRUE(screen->has_work());
  present();
  EXPECT_FALSE(screen->error());
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, RefusedUploadLeavesTheScreenStale) {
  make_output();
  const auto damage = write(3, 5, 0x123456);
  card->refuse_accesses = ENOMEM;
  static_cast<void>(card->request_vblank(first));  // takes the fault over
  screen->upload_damage({damage});
  EXPECT_TRUE(screen->is_stale());
  EXPECT_EQ(screen->error().value(), ENOMEM);
  card->refuse_accesses = 0;
  static_cast<void>(card->request_vblank(first));
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, AppliedSceneFlipsToASecondBufferAndTheNextOneBack) {
  make_output();
  screen->upload_damage({write(3, 5, 0x123456)});
  const auto* front = screen->next_frame()->buffer;
  present();
  ASSERT_EQ(screen->apply(panned(16, 64)), 0);
  EXPECT_TRUE(screen->is_stale());
  screen->upload_all();
  EXPECT_NE(screen->next_frame()->buffer, front);
  EXPECT_EQ(shown(), picture_of(fb_state)) << "until it is presented";
  present();
  EXPECT_EQ(shown(), picture_of(panned(16, 64)));
  ASSERT_EQ(screen->apply(fb_state), 0);
  screen->upload_all();
  EXPECT_EQ(screen->next_frame()->buffer, front);
  present();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, AppliedSceneWithoutMemoryForASecondBufferUsesTheFirst) {
  make_output();
  screen->upload_damage({write(3, 5, 0x123456)});
  const auto* front = screen->next_frame()->buffer;
  present();
  card->refuse_buffers = ENOMEM;
  ASSERT_EQ(screen->apply(panned(16, 64)), 0);
  screen->upload_all();
  EXPECT_EQ(screen->next_frame()->buffer, front);
  present();
  EXPECT_EQ(shown(), picture_of(panned(16, 64)));
}

TEST_F(OutputPresenterOfACard, SameSceneIsNoChange) {
  make_output();
  ASSERT_EQ(screen->apply(fb_state), 0);
  EXPECT_FALSE(screen->has_work());
}

TEST_F(OutputPresenterOfACard, LivePixelsThatCannotBeReadLeaveWhatWasDeliveredAndTheScreenStale) {
  make_output();
  screen->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  pages->read_error = EIO;
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_TRUE(screen->is_stale());
  EXPECT_TRUE(screen->has_work());
  EXPECT_EQ(screen->error().value(), EIO);
  pages->read_error = 0;
  show_all();
  EXPECT_EQ(shown().front(), 0x123456U);
  EXPECT_FALSE(screen->has_work());
  EXPECT_FALSE(screen->error());
}

TEST_F(OutputPresenterOfACard, LightWithoutLivePixelsLeavesTheScreenStale) {
  make();
  screen->set_pages(&*pages);
  pages->read_error = EIO;
  ASSERT_TRUE(screen->enable(fb_state).has_value());
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_TRUE(screen->has_work());
  EXPECT_EQ(screen->error().value(), EIO);
}

TEST_F(OutputPresenterOfACard, PowerOffShowsBlackAndPowerOnUploadsEverything) {
  make_output();
  screen->set_power(Power::off);
  EXPECT_FALSE(screen->is_visible());
  EXPECT_TRUE(screen->is_enabled());
  EXPECT_EQ(shown(), std::vector<uint32_t>(visible.area()));
  write(3, 5, 0x123456);
  screen->set_power(Power::on);
  EXPECT_TRUE(screen->is_stale());
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, ScreenThatIsOffHasNoFrame) {
  make_output();
  screen->set_power(Power::off);
  screen->mark_stale();
  EXPECT_FALSE(screen->has_work());
  EXPECT_FALSE(screen->next_frame().has_value());
}

TEST_F(OutputPresenterOfACard, RefusedPowerKeepsTheLevelAndTheNextChangeTriesAgain) {
  make_output();
  card->refuse_powers = EBUSY;
  screen->set_power(Power::off);
  screen->set_power(Power::off);
  EXPECT_EQ(screen->power(), Power::on);
  EXPECT_EQ(log.count("cannot change the power"), 1);
  card->refuse_powers = 0;
  screen->set_power(Power::off);
  EXPECT_EQ(screen->power(), Power::off);
  EXPECT_EQ(log.count("can be changed again"), 1);
}

TEST_F(OutputPresenterOfACard, PowerOfADarkScreenIsTakenOnWhenItIsLit) {
  make();
  screen->set_fb_state(fb_state);
  screen->set_power(Power::off);
  EXPECT_EQ(screen->power(), Power::off);
  ASSERT_TRUE(screen->enable_again());
  EXPECT_EQ(screen->power(), Power::off);
  EXPECT_EQ(shown(), std::vector<uint32_t>(visible.area()));
}

TEST_F(OutputPresenterOfACard, GivenBackScreenIsReleasedAndHasNoWork) {
  make_output();
  screen->mark_stale();
  screen->release();
  EXPECT_EQ(card->releases, 1U);
  EXPECT_FALSE(screen->is_enabled());
  EXPECT_FALSE(screen->has_work());
  screen->release();
  EXPECT_EQ(card->releases, 1U);
}

TEST_F(OutputPresenterOfACard, LeftScreenIsLeftToWhoeverComes) {
  make_output();
  screen->release_without_restore();
  EXPECT_EQ(card->leaves, 1U);
  EXPECT_EQ(card->releases, 0U);
  EXPECT_FALSE(screen->is_enabled());
}
