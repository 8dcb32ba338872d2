#include "fbemu/output/output_presenter.h"

#include <gtest/gtest.h>

#include "tests/support/output_presenter_fixture.h"

using base::failure;
using drmclient::PixelFormat;
using drmclient::Power;
using drmclient::Rect;
using fbemu::Screen;

namespace {

/// Lighting, buffers, flips and power of one output.
class ScreenOfACard : public unit::ScreenFixture {
 protected:
  void make() {
    build();
    screen.emplace(*card, outputs().front(), *shadow, statistics, std::nullopt, Screen::Role::leads, clock);
  }
  void make_lit() {
    make();
    ASSERT_TRUE(screen->light(scene).has_value());
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

  std::optional<Screen> screen;
};

}  // namespace

TEST_F(ScreenOfACard, LightShowsTheScene) {
  make();
  EXPECT_FALSE(screen->is_lit());
  ASSERT_TRUE(screen->light(scene).has_value());
  EXPECT_TRUE(screen->is_visible());
  EXPECT_EQ(screen->scene(), scene);
  EXPECT_EQ(shown(), picture_of(scene));
  EXPECT_EQ(statistics.mode_sets, 1U);
}

TEST_F(ScreenOfACard, LightReadsTheLivePixels) {
  make();
  screen->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  ASSERT_TRUE(screen->light(scene).has_value());
  EXPECT_EQ(shown().front(), 0x123456U);
}

TEST_F(ScreenOfACard, LightWithARefusedModeReturnsItsErrnoAndStaysDark) {
  make();
  card->refuse_modes = EINVAL;
  EXPECT_EQ(screen->light(scene).error().value(), EINVAL);
  EXPECT_FALSE(screen->is_lit());
  EXPECT_FALSE(screen->waits_for_screen());
}

TEST_F(ScreenOfACard, LightWithoutABufferReturnsItsErrno) {
  make();
  card->refuse_buffers = ENOMEM;
  EXPECT_EQ(screen->light(scene).error().value(), ENOMEM);
}

TEST_F(ScreenOfACard, LightWithARefusedModeKeepsThePictureBefore) {
  make_lit();
  card->refuse_modes = EINVAL;
  EXPECT_FALSE(screen->light(scene_of({32, 24})).has_value());
  EXPECT_TRUE(screen->is_lit());
  EXPECT_EQ(screen->scene(), scene);
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenOfACard, LightTakesTheProgramsFormatIfTheCardHasIt) {
  headless.formats = {PixelFormat::bgrx8888, PixelFormat::xrgb8888};
  make_lit();
  EXPECT_EQ(screen->format(), PixelFormat::xrgb8888);
}

TEST_F(ScreenOfACard, LightTakesTheNextFormatIfOneIsRefused) {
  headless.formats = {PixelFormat::xrgb8888, PixelFormat::bgrx8888};
  make();
  card->refuse_format = PixelFormat::xrgb8888;
  ASSERT_TRUE(screen->light(scene).has_value());
  EXPECT_EQ(screen->format(), PixelFormat::bgrx8888);
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenOfACard, CheckReturnsTheErrnoOfABufferThatCannotBeMade) {
  make();
  EXPECT_TRUE(screen->check(scene).has_value());
  card->refuse_buffers = ENOSPC;
  EXPECT_EQ(screen->check(scene).error().value(), ENOSPC);
  EXPECT_FALSE(screen->is_lit());
}

TEST_F(ScreenOfACard, UnchangedScreenHasNoFrame) {
  make_lit();
  EXPECT_FALSE(screen->has_work());
  EXPECT_FALSE(screen->next_frame().has_value());
}

TEST_F(ScreenOfACard, DamageIsPresentedAsItsRectangle) {
  make_lit();
  screen->upload_damage({write(3, 5, 0x123456)});
  const auto frame = screen->next_frame();
  ASSERT_TRUE(frame.has_value());
  ASSERT_EQ(frame->damage.size(), 1U);
  EXPECT_EQ(frame->damage.front(), (Rect{3, 5, 4, 6}));
  present();
  EXPECT_EQ(shown(), picture_of(scene));
  EXPECT_FALSE(screen->has_work());
}

TEST_F(ScreenOfACard, DamageOutsideTheViewHasNoFrame) {
  make_lit();
  screen->upload_damage({write(80, 5, 0x123456), write(3, 100, 0x123456)});
  EXPECT_FALSE(screen->next_frame().has_value());
}

TEST_F(ScreenOfACard, RefusedPresentKeepsTheDamageForTheNextFrame) {
  make_lit();
  screen->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(screen->next_frame().has_value());
  EXPECT_TRUE(screen->presented(failure(EIO)));
  EXPECT_EQ(screen->error().value(), EIO);
  EXPECT_TRUE(screen->has_work());
  present();
  EXPECT_FALSE(screen->error());
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenOfACard, RefusedUploadLeavesTheScreenStale) {
  make_lit();
  const auto damage = write(3, 5, 0x123456);
  card->refuse_accesses = ENOMEM;
  static_cast<void>(card->request_vblank(first));  // takes the fault over
  screen->upload_damage({damage});
  EXPECT_TRUE(screen->is_stale());
  EXPECT_EQ(screen->error().value(), ENOMEM);
  card->refuse_accesses = 0;
  static_cast<void>(card->request_vblank(first));
  show_all();
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenOfACard, AppliedSceneFlipsToASecondBufferAndTheNextOneBack) {
  make_lit();
  screen->upload_damage({write(3, 5, 0x123456)});
  const auto* front = screen->next_frame()->buffer;
  present();
  ASSERT_EQ(screen->apply(panned(16, 64)), 0);
  EXPECT_TRUE(screen->is_stale());
  screen->upload_all();
  EXPECT_NE(screen->next_frame()->buffer, front);
  EXPECT_EQ(shown(), picture_of(scene)) << "until it is presented";
  present();
  EXPECT_EQ(shown(), picture_of(panned(16, 64)));
  ASSERT_EQ(screen->apply(scene), 0);
  screen->upload_all();
  EXPECT_EQ(screen->next_frame()->buffer, front);
  present();
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenOfACard, AppliedSceneWithoutMemoryForASecondBufferUsesTheFirst) {
  make_lit();
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

TEST_F(ScreenOfACard, SameSceneIsNoChange) {
  make_lit();
  ASSERT_EQ(screen->apply(scene), 0);
  EXPECT_FALSE(screen->has_work());
}

TEST_F(ScreenOfACard, LivePixelsThatCannotBeReadLeaveWhatWasDeliveredAndTheScreenStale) {
  make_lit();
  screen->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  pages->read_error = EIO;
  show_all();
  EXPECT_EQ(shown(), picture_of(scene));
  EXPECT_TRUE(screen->is_stale());
  EXPECT_TRUE(screen->has_work());
  EXPECT_EQ(screen->error().value(), EIO);
  pages->read_error = 0;
  show_all();
  EXPECT_EQ(shown().front(), 0x123456U);
  EXPECT_FALSE(screen->has_work());
  EXPECT_FALSE(screen->error());
}

TEST_F(ScreenOfACard, LightWithoutLivePixelsLeavesTheScreenStale) {
  make();
  screen->set_pages(&*pages);
  pages->read_error = EIO;
  ASSERT_TRUE(screen->light(scene).has_value());
  EXPECT_EQ(shown(), picture_of(scene));
  EXPECT_TRUE(screen->has_work());
  EXPECT_EQ(screen->error().value(), EIO);
}

TEST_F(ScreenOfACard, PowerOffShowsBlackAndPowerOnUploadsEverything) {
  make_lit();
  screen->set_power(Power::off);
  EXPECT_FALSE(screen->is_visible());
  EXPECT_TRUE(screen->is_lit());
  EXPECT_EQ(shown(), std::vector<uint32_t>(visible.area()));
  write(3, 5, 0x123456);
  screen->set_power(Power::on);
  EXPECT_TRUE(screen->is_stale());
  show_all();
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenOfACard, ScreenThatIsOffHasNoFrame) {
  make_lit();
  screen->set_power(Power::off);
  screen->mark_stale();
  EXPECT_FALSE(screen->has_work());
  EXPECT_FALSE(screen->next_frame().has_value());
}

TEST_F(ScreenOfACard, RefusedPowerKeepsTheLevelAndTheNextChangeTriesAgain) {
  make_lit();
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

TEST_F(ScreenOfACard, PowerOfADarkScreenIsTakenOnWhenItIsLit) {
  make();
  screen->set_scene(scene);
  screen->set_power(Power::off);
  EXPECT_EQ(screen->power(), Power::off);
  ASSERT_TRUE(screen->light_again());
  EXPECT_EQ(screen->power(), Power::off);
  EXPECT_EQ(shown(), std::vector<uint32_t>(visible.area()));
}

TEST_F(ScreenOfACard, GivenBackScreenIsReleasedAndHasNoWork) {
  make_lit();
  screen->mark_stale();
  screen->give_back();
  EXPECT_EQ(card->releases, 1U);
  EXPECT_FALSE(screen->is_lit());
  EXPECT_FALSE(screen->has_work());
  screen->give_back();
  EXPECT_EQ(card->releases, 1U);
}

TEST_F(ScreenOfACard, LeftScreenIsLeftToWhoeverComes) {
  make_lit();
  screen->leave();
  EXPECT_EQ(card->leaves, 1U);
  EXPECT_EQ(card->releases, 0U);
  EXPECT_FALSE(screen->is_lit());
}
