#include <gtest/gtest.h>

#include "fbemu/output/output_presenter.h"
#include "tests/support/output_presenter_fixture.h"

using drmclient::Size;
using fbemu::OutputPresenter;
using fbemu::Rotation;
using fbemu::Scaling;

namespace {

/// Modes, monitors, and a picture in the mode of another size.
class OutputPresenterModes : public unit::OutputPresenterFixture {
 protected:
  void make(std::optional<drmclient::Mode> follow_monitor_mode = std::nullopt,
            OutputPresenter::Role role = OutputPresenter::Role::primary) {
    build();
    presenter.emplace(*card, probed(), *backing_store, statistics, std::move(follow_monitor_mode), role,
                      clock);
    presenter->set_fb_state(fb_state);
  }
  void make_output() {
    make();
    ASSERT_TRUE(presenter->enable_again());
  }
  /// Another monitor is plugged in, which the presenter notices.
  [[nodiscard]] bool plug_monitor(std::vector<Size> sizes) {
    card->plug_monitor(std::move(sizes));
    static_cast<void>(probed());
    return presenter->update_info();
  }
  [[nodiscard]] bool plug(bool connected) {
    card->plug(connected);
    static_cast<void>(probed());
    return presenter->update_info();
  }
  /// The colour that is shown at (x, y) in a mode of `size`.
  [[nodiscard]] uint32_t shown_at(Size size, uint32_t x, uint32_t y) {
    return shown().at(size_t{y} * size.width + x);
  }

  std::optional<OutputPresenter> presenter;
};

}  // namespace

TEST_F(OutputPresenterModes, AppliedModeIsSet) {
  make_output();
  const auto smaller = fb_state_of({32, 24});
  EXPECT_TRUE(presenter->apply(smaller).has_value());
  EXPECT_EQ(presenter->fb_state(), smaller);
  EXPECT_EQ(shown(), picture_of(smaller));
  EXPECT_EQ(statistics.mode_sets, 2U);
}

TEST_F(OutputPresenterModes, RefusedModeReturnsErrnoAndKeepsState) {
  make_output();
  card->refuse_modes = EINVAL;
  EXPECT_EQ(presenter->apply(fb_state_of({32, 24})).error().value(), EINVAL);
  EXPECT_EQ(presenter->fb_state(), fb_state);
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterModes, ModesRefusedOneAfterAnotherAreLoggedOnceInTenSeconds) {
  make_output();
  card->refuse_modes = EINVAL;
  for (uint32_t width = 20; width < 40; ++width)
    EXPECT_EQ(presenter->apply(fb_state_of({width, 24})).error().value(), EINVAL);
  EXPECT_EQ(log.count("refused the mode"), 1);
  card->refuse_modes = 0;
  ASSERT_TRUE(presenter->apply(fb_state_of({32, 24})).has_value());
  card->refuse_modes = EINVAL;
  EXPECT_EQ(presenter->apply(fb_state_of({48, 24})).error().value(), EINVAL);
  EXPECT_EQ(log.count("refused the mode"), 1);
  clock.advance(std::chrono::seconds(11));
  EXPECT_EQ(presenter->apply(fb_state_of({48, 24})).error().value(), EINVAL);
  EXPECT_EQ(log.count("refused the mode"), 2);
}

TEST_F(OutputPresenterModes, RefusedModeMayBeAppliedAgain) {
  make_output();
  const auto smaller = fb_state_of({32, 24});
  card->refuse_modes = EINVAL;
  ASSERT_EQ(presenter->apply(smaller).error().value(), EINVAL);
  card->refuse_modes = 0;
  EXPECT_TRUE(presenter->apply(smaller).has_value());
  EXPECT_EQ(shown(), picture_of(smaller));
}

TEST_F(OutputPresenterModes, ModeOfDisabledOutputIsCheckedAndSetOnEnable) {
  make();
  card->refuse_buffers = ENOSPC;
  EXPECT_EQ(presenter->apply(fb_state_of({32, 24})).error().value(), ENOSPC);
  EXPECT_EQ(presenter->fb_state(), fb_state);
  card->refuse_buffers = 0;
  EXPECT_TRUE(presenter->apply(fb_state_of({32, 24})).has_value());
  EXPECT_EQ(statistics.mode_sets, 0U);
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(shown(), picture_of(fb_state_of({32, 24})));
}

TEST_F(OutputPresenterModes, ReturnedMonitorNeedsModeSet) {
  make_output();
  EXPECT_FALSE(plug(false));
  EXPECT_FALSE(presenter->info().connected);
  EXPECT_TRUE(presenter->is_enabled());
  EXPECT_TRUE(plug(true));
  EXPECT_TRUE(presenter->info().connected);
  static_cast<void>(probed());
  EXPECT_FALSE(presenter->update_info());
}

TEST_F(OutputPresenterModes, MonitorWithoutSizeShowsPictureInFirstMode) {
  make_output();
  EXPECT_TRUE(plug_monitor({{128, 96}, {32, 24}}));
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(presenter->fb_state().mode.size(), (Size{128, 96}));
  EXPECT_EQ(presenter->fb_state().size, visible);
}

TEST_F(OutputPresenterModes, MonitorWithSizeIsSetToIt) {
  make_output();
  EXPECT_TRUE(plug_monitor({{128, 96}, visible}));
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(presenter->fb_state().mode.size(), visible);
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterModes, StateWithDefaultModeTakesPreferredModeOfMonitor) {
  make(drmclient::make_mode(visible));
  EXPECT_TRUE(plug_monitor({{128, 96}, visible}));
  EXPECT_EQ(presenter->fb_state().mode.size(), (Size{128, 96}));
}

TEST_F(OutputPresenterModes, CloneShowsPictureInModeOfItsOwn) {
  make(std::nullopt, OutputPresenter::Role::clone);
  EXPECT_TRUE(plug_monitor({{128, 96}}));
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(presenter->fb_state().mode.size(), (Size{128, 96}));
}

TEST_F(OutputPresenterModes, PictureOnLargerModeIsInMiddleOfBlack) {
  make_output();
  ASSERT_TRUE(plug_monitor({{128, 96}}));
  ASSERT_TRUE(presenter->enable_again());
  std::vector<uint32_t> expected(size_t{128} * 96, 0);
  for (uint32_t y = 0; y < 64; ++y) {
    for (uint32_t x = 0; x < 64; ++x) expected.at(size_t{y + 16} * 128 + x + 32) = pixel_of(fb_state, x, y);
  }
  EXPECT_EQ(shown(), expected);
}

TEST_F(OutputPresenterModes, PictureScaledByWholeNumberHasSquaresOfPixels) {
  fb_state.scaling = Scaling::integer;
  make_output();
  ASSERT_TRUE(plug_monitor({{160, 128}}));
  ASSERT_TRUE(presenter->enable_again());
  std::vector<uint32_t> expected(size_t{160} * 128, 0);
  for (uint32_t y = 0; y < 128; ++y) {
    for (uint32_t x = 0; x < 128; ++x) {
      expected.at(size_t{y} * 160 + x + 16) = pixel_of(fb_state, x / 2, y / 2);
    }
  }
  EXPECT_EQ(shown(), expected);
}

TEST_F(OutputPresenterModes, DamageOnLargerModeIsPresentedAtItsPlace) {
  make_output();
  ASSERT_TRUE(plug_monitor({{128, 96}}));
  ASSERT_TRUE(presenter->enable_again());
  presenter->upload_damage({write(3, 5, 0x123456)});
  const auto frame = presenter->next_frame();
  ASSERT_TRUE(frame.has_value());
  ASSERT_EQ(frame->damage.size(), 1U);
  EXPECT_EQ(frame->damage.front(), (drmclient::Rect{35, 21, 36, 22}));
  ASSERT_TRUE(card->present(*frame).has_value());
  EXPECT_EQ(shown_at({128, 96}, 35, 21), 0x123456U);
}

TEST_F(OutputPresenterModes, TurnedPictureHasItsFirstPixelInAnotherCorner) {
  fb_state.rotation = Rotation::half_turn;
  make_output();
  auto expected = picture_of(fb_state);
  std::ranges::reverse(expected);
  EXPECT_EQ(shown(), expected);
}
