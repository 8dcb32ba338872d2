#include <gtest/gtest.h>

#include "fbemu/output/output_presenter.h"
#include "tests/support/output_presenter_fixture.h"

using base::failure;
using fbemu::OutputPresenter;
using fbemu::OutputState;

namespace {

/// One output of a card that other processes are DRM masters of as well, or that is unplugged.
class OutputPresenterPreemption : public unit::OutputPresenterFixture {
 protected:
  OutputPresenterPreemption() { shared = true; }

  void make() {
    build();
    screen.emplace(*card, outputs().front(), *shadow, statistics, std::nullopt,
                   OutputPresenter::Role::primary, clock);
    screen->set_fb_state(fb_state);
  }
  void make_output() {
    make();
    ASSERT_TRUE(screen->enable(fb_state).has_value());
    show_all();
  }
  void show_all() {
    screen->upload_all();
    const auto frame = screen->next_frame();
    ASSERT_TRUE(frame.has_value());
    ASSERT_TRUE(
        screen->presented(card->present(frame->output, *frame->buffer, frame->origin, frame->damage)));
  }

  std::optional<OutputPresenter> screen;
};

}  // namespace

TEST_F(OutputPresenterPreemption, LightWhileAnotherIsMasterFailsAndWaitsForTheScreen) {
  make();
  card->other_master = true;
  EXPECT_EQ(screen->enable(fb_state).error().value(), EBUSY);
  EXPECT_FALSE(screen->is_enabled());
  EXPECT_TRUE(screen->waits_for_screen());
  EXPECT_FALSE(screen->enable_again());
  card->other_master = false;
  EXPECT_TRUE(screen->enable_again());
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterPreemption, CardUnpluggedWhileWaitingForMasterDropsTheBuffer) {
  make();
  card->other_master = true;
  ASSERT_FALSE(screen->enable_again());
  EXPECT_EQ(screen->state(), OutputState::waiting_for_master);
  card->gone = true;
  EXPECT_FALSE(screen->enable_again());
  EXPECT_EQ(screen->state(), OutputState::unplugged);
  EXPECT_FALSE(screen->waits_for_screen());
  // The node is closed with the last buffer, so that the card can return.
  EXPECT_EQ(card->mapping_statistics().of(drmclient::MappingKind::dumb).mapped_bytes, 0U);
  card->gone = card->other_master = false;
  EXPECT_TRUE(screen->enable_again());
  EXPECT_EQ(screen->state(), OutputState::enabled);
}

TEST_F(OutputPresenterPreemption, LightAgainWhileAnotherIsMasterMakesNoBuffer) {
  make();
  card->other_master = true;
  ASSERT_FALSE(screen->enable_again());
  card->no_memory_for_buffers = true;
  EXPECT_FALSE(screen->enable_again());
  EXPECT_EQ(screen->error().value(), EBUSY);
}

TEST_F(OutputPresenterPreemption, WaitingForTheScreenEndsWhenItIsGivenBack) {
  make();
  card->other_master = true;
  ASSERT_FALSE(screen->enable_again());
  screen->release();
  EXPECT_FALSE(screen->waits_for_screen());
}

TEST_F(OutputPresenterPreemption, ModeSetLeavesTheScreenStaleBecauseItMayWipeTheMemory) {
  make();
  ASSERT_TRUE(screen->enable(fb_state).has_value());
  EXPECT_TRUE(screen->is_stale());
}

TEST_F(OutputPresenterPreemption, CoveredScreenHasNoFrameUntilTheOtherMasterLeaves) {
  make_output();
  card->replaced = true;
  card->other_master = true;
  screen->check_preemption();
  EXPECT_TRUE(screen->is_preempted());
  EXPECT_TRUE(screen->waits_for_screen());
  screen->upload_damage({write(3, 5, 0x123456)});
  EXPECT_FALSE(screen->next_frame().has_value());
  screen->check_preemption();
  EXPECT_TRUE(screen->is_preempted());
  card->other_master = false;
  screen->check_preemption();
  EXPECT_FALSE(screen->is_preempted());
  EXPECT_TRUE(screen->is_stale());
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterPreemption, PresentThatAnotherMasterRefusesCoversTheScreen) {
  make_output();
  screen->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(screen->next_frame().has_value());
  EXPECT_TRUE(screen->presented(failure(EBUSY)));
  EXPECT_TRUE(screen->is_preempted());
  EXPECT_EQ(statistics.failed_presents, 1U);
}

TEST_F(OutputPresenterPreemption, AnotherMasterIsLoggedOnlyIfItKeepsTheScreen) {
  make_output();
  const std::error_code busy(EBUSY, std::generic_category());
  screen->report(busy);
  clock.advance(std::chrono::milliseconds(249));
  screen->report(busy);
  screen->report({});
  EXPECT_EQ(log.count("output Virtual-1"), 0);
  screen->report(busy);
  clock.advance(std::chrono::milliseconds(250));
  screen->report(busy);
  screen->report(busy);
  EXPECT_EQ(log.count("another program has the screen"), 1);
  screen->report({});
  EXPECT_EQ(log.count("is updated again"), 1);
}

TEST_F(OutputPresenterPreemption, OtherErrorsAreLoggedAtOnce) {
  make_output();
  screen->report({EIO, std::generic_category()});
  screen->report({EIO, std::generic_category()});
  EXPECT_EQ(log.count("cannot be updated"), 1);
}

TEST_F(OutputPresenterPreemption, UnpluggedCardGivesTheOutputBack) {
  make_output();
  screen->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(screen->next_frame().has_value());
  EXPECT_FALSE(screen->presented(failure(ENODEV)));
  EXPECT_FALSE(screen->is_enabled());
  EXPECT_EQ(screen->error().value(), ENODEV);
  ASSERT_TRUE(screen->enable_again());
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterPreemption, ModeThatIsAppliedWhileAnotherIsMasterIsSetWhenItLeaves) {
  make_output();
  card->other_master = true;
  const auto smaller = fb_state_of({32, 24});
  EXPECT_EQ(screen->apply(smaller), 0);
  EXPECT_FALSE(screen->is_enabled());
  EXPECT_TRUE(screen->waits_for_screen());
  EXPECT_EQ(screen->fb_state(), smaller);
  card->other_master = false;
  ASSERT_TRUE(screen->enable_again());
  EXPECT_EQ(shown(), picture_of(smaller));
}

TEST_F(OutputPresenterPreemption, CheckWhileAnotherIsMasterIsNoRefusal) {
  make();
  card->refuse_buffers = EBUSY;
  EXPECT_TRUE(screen->check(fb_state).has_value());
}
