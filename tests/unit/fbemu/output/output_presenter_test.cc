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
    presenter.emplace(*card, probed(), *backing_store, statistics, std::nullopt,
                      OutputPresenter::Role::primary, clock);
  }
  void make_output() {
    make();
    ASSERT_TRUE(presenter->enable(fb_state).has_value());
  }
  /// Uploads what is stale and presents it.
  void show_all() {
    presenter->upload_all();
    present();
  }
  void present() {
    const auto frame = presenter->next_frame();
    ASSERT_TRUE(frame.has_value());
    ASSERT_TRUE(presenter->presented(card->present(*frame)));
  }

  std::optional<OutputPresenter> presenter;
};

}  // namespace

TEST_F(OutputPresenterOfACard, EnableShowsState) {
  make();
  EXPECT_FALSE(presenter->is_enabled());
  ASSERT_TRUE(presenter->enable(fb_state).has_value());
  EXPECT_TRUE(presenter->is_visible());
  EXPECT_EQ(presenter->fb_state(), fb_state);
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_EQ(statistics.mode_sets, 1U);
}

TEST_F(OutputPresenterOfACard, EnableReadsLivePixels) {
  make();
  presenter->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  ASSERT_TRUE(presenter->enable(fb_state).has_value());
  EXPECT_EQ(shown().front(), 0x123456U);
}

TEST_F(OutputPresenterOfACard, EnableWithRefusedModeReturnsErrno) {
  make();
  card->refuse_modes = EINVAL;
  EXPECT_EQ(presenter->enable(fb_state).error().value(), EINVAL);
  EXPECT_FALSE(presenter->is_enabled());
  EXPECT_FALSE(presenter->waits_for_screen());
}

TEST_F(OutputPresenterOfACard, EnableWithoutBufferReturnsItsErrno) {
  make();
  card->refuse_buffers = ENOMEM;
  EXPECT_EQ(presenter->enable(fb_state).error().value(), ENOMEM);
}

TEST_F(OutputPresenterOfACard, EnableWithRefusedModeKeepsPicture) {
  make_output();
  card->refuse_modes = EINVAL;
  EXPECT_FALSE(presenter->enable(fb_state_of({32, 24})).has_value());
  EXPECT_TRUE(presenter->is_enabled());
  EXPECT_EQ(presenter->fb_state(), fb_state);
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, EnableTakesProgramFormatOfCard) {
  headless.formats = {PixelFormat::bgrx8888, PixelFormat::xrgb8888};
  make_output();
  EXPECT_EQ(presenter->format(), PixelFormat::xrgb8888);
}

TEST_F(OutputPresenterOfACard, EnableTakesNextFormatAfterRefusal) {
  headless.formats = {PixelFormat::xrgb8888, PixelFormat::bgrx8888};
  make();
  card->refuse_format = PixelFormat::xrgb8888;
  ASSERT_TRUE(presenter->enable(fb_state).has_value());
  EXPECT_EQ(presenter->format(), PixelFormat::bgrx8888);
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, CheckReturnsErrnoOfBufferThatCannotBeMade) {
  make();
  EXPECT_TRUE(presenter->check(fb_state).has_value());
  card->refuse_buffers = ENOSPC;
  EXPECT_EQ(presenter->check(fb_state).error().value(), ENOSPC);
  EXPECT_FALSE(presenter->is_enabled());
}

TEST_F(OutputPresenterOfACard, UnchangedOutputHasNoFrame) {
  make_output();
  EXPECT_FALSE(presenter->has_work());
  EXPECT_FALSE(presenter->next_frame().has_value());
}

TEST_F(OutputPresenterOfACard, DamageIsPresentedAsItsRectangle) {
  make_output();
  presenter->upload_damage({write(3, 5, 0x123456)});
  const auto frame = presenter->next_frame();
  ASSERT_TRUE(frame.has_value());
  ASSERT_EQ(frame->damage.size(), 1U);
  EXPECT_EQ(frame->damage.front(), (Rect{3, 5, 4, 6}));
  present();
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_FALSE(presenter->has_work());
}

TEST_F(OutputPresenterOfACard, DamageOutsideViewHasNoFrame) {
  make_output();
  presenter->upload_damage({write(80, 5, 0x123456), write(3, 100, 0x123456)});
  EXPECT_FALSE(presenter->next_frame().has_value());
}

TEST_F(OutputPresenterOfACard, RefusedPresentKeepsDamageForNextFrame) {
  make_output();
  presenter->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(presenter->next_frame().has_value());
  EXPECT_TRUE(presenter->presented(failure(EIO)));
  EXPECT_EQ(presenter->error().value(), EIO);
  EXPECT_TRUE(presenter->has_work());
  present();
  EXPECT_FALSE(presenter->error());
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, RefusedUploadLeavesOutputStale) {
  make_output();
  const auto damage = write(3, 5, 0x123456);
  card->refuse_accesses = ENOMEM;
  static_cast<void>(card->output().request_vblank());  // takes the fault over
  presenter->upload_damage({damage});
  EXPECT_TRUE(presenter->is_stale());
  EXPECT_EQ(presenter->error().value(), ENOMEM);
  card->refuse_accesses = 0;
  static_cast<void>(card->output().request_vblank());
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, AppliedStateFlipsToSecondBufferAndNextOneBack) {
  make_output();
  presenter->upload_damage({write(3, 5, 0x123456)});
  const auto* front = &presenter->next_frame()->buffer;
  present();
  ASSERT_TRUE(presenter->apply(panned(16, 64)).has_value());
  EXPECT_TRUE(presenter->is_stale());
  presenter->upload_all();
  EXPECT_NE(&presenter->next_frame()->buffer, front);
  EXPECT_EQ(shown(), picture_of(fb_state)) << "until it is presented";
  present();
  EXPECT_EQ(shown(), picture_of(panned(16, 64)));
  ASSERT_TRUE(presenter->apply(fb_state).has_value());
  presenter->upload_all();
  EXPECT_EQ(&presenter->next_frame()->buffer, front);
  present();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, AppliedStateWithoutMemoryForSecondBufferUsesFirst) {
  make_output();
  presenter->upload_damage({write(3, 5, 0x123456)});
  const auto* front = &presenter->next_frame()->buffer;
  present();
  card->refuse_buffers = ENOMEM;
  ASSERT_TRUE(presenter->apply(panned(16, 64)).has_value());
  presenter->upload_all();
  EXPECT_EQ(&presenter->next_frame()->buffer, front);
  present();
  EXPECT_EQ(shown(), picture_of(panned(16, 64)));
}

TEST_F(OutputPresenterOfACard, SameStateIsNoChange) {
  make_output();
  ASSERT_TRUE(presenter->apply(fb_state).has_value());
  EXPECT_FALSE(presenter->has_work());
}

TEST_F(OutputPresenterOfACard, FailedLiveReadShowsBackingStoreAndLeavesOutputStale) {
  make_output();
  presenter->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  pages->read_error = EIO;
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_TRUE(presenter->is_stale());
  EXPECT_TRUE(presenter->has_work());
  EXPECT_EQ(presenter->error().value(), EIO);
  pages->read_error = 0;
  show_all();
  EXPECT_EQ(shown().front(), 0x123456U);
  EXPECT_FALSE(presenter->has_work());
  EXPECT_FALSE(presenter->error());
}

TEST_F(OutputPresenterOfACard, EnableWithoutLivePixelsLeavesOutputStale) {
  make();
  presenter->set_pages(&*pages);
  pages->read_error = EIO;
  ASSERT_TRUE(presenter->enable(fb_state).has_value());
  EXPECT_EQ(shown(), picture_of(fb_state));
  EXPECT_TRUE(presenter->has_work());
  EXPECT_EQ(presenter->error().value(), EIO);
}

TEST_F(OutputPresenterOfACard, PowerOffShowsBlackAndPowerOnUploadsEverything) {
  make_output();
  presenter->set_power(Power::off);
  EXPECT_FALSE(presenter->is_visible());
  EXPECT_TRUE(presenter->is_enabled());
  EXPECT_EQ(shown(), std::vector<uint32_t>(visible.area()));
  write(3, 5, 0x123456);
  presenter->set_power(Power::on);
  EXPECT_TRUE(presenter->is_stale());
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterOfACard, BlankOutputHasNoFrame) {
  make_output();
  presenter->set_power(Power::off);
  presenter->mark_stale();
  EXPECT_FALSE(presenter->has_work());
  EXPECT_FALSE(presenter->next_frame().has_value());
}

TEST_F(OutputPresenterOfACard, RefusedPowerKeepsLevelAndNextChangeTriesAgain) {
  make_output();
  card->refuse_powers = EBUSY;
  presenter->set_power(Power::off);
  presenter->set_power(Power::off);
  EXPECT_EQ(presenter->power(), Power::on);
  EXPECT_EQ(log.count("cannot change the power"), 1);
  card->refuse_powers = 0;
  presenter->set_power(Power::off);
  EXPECT_EQ(presenter->power(), Power::off);
  EXPECT_EQ(log.count("can be changed again"), 1);
}

TEST_F(OutputPresenterOfACard, PowerOfDisabledOutputIsSetOnEnable) {
  make();
  presenter->set_fb_state(fb_state);
  presenter->set_power(Power::off);
  EXPECT_EQ(presenter->power(), Power::off);
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(presenter->power(), Power::off);
  EXPECT_EQ(shown(), std::vector<uint32_t>(visible.area()));
}

TEST_F(OutputPresenterOfACard, ReleasedOutputHasNoWork) {
  make_output();
  presenter->mark_stale();
  presenter->release();
  EXPECT_EQ(card->releases, 1U);
  EXPECT_FALSE(presenter->is_enabled());
  EXPECT_FALSE(presenter->has_work());
  presenter->release();
  EXPECT_EQ(card->releases, 1U);
}

TEST_F(OutputPresenterOfACard, ReleaseWithoutRestoreKeepsCrtc) {
  make_output();
  presenter->release_without_restore();
  EXPECT_EQ(card->leaves, 1U);
  EXPECT_EQ(card->releases, 0U);
  EXPECT_FALSE(presenter->is_enabled());
}
