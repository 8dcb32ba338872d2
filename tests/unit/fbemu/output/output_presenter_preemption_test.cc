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
    presenter.emplace(*card, probed(), *backing_store, statistics, std::nullopt,
                      OutputPresenter::Role::primary, clock);
    presenter->set_fb_state(fb_state);
  }
  void make_output() {
    make();
    ASSERT_TRUE(presenter->enable(fb_state).has_value());
    show_all();
  }
  void show_all() {
    presenter->upload_all();
    const auto frame = presenter->next_frame();
    ASSERT_TRUE(frame.has_value());
    ASSERT_TRUE(presenter->presented(card->present(*frame)));
  }

  std::optional<OutputPresenter> presenter;
};

}  // namespace

TEST_F(OutputPresenterPreemption, EnableWhileAnotherIsMasterWaits) {
  make();
  card->other_master = true;
  EXPECT_EQ(presenter->enable(fb_state).error().value(), EBUSY);
  EXPECT_FALSE(presenter->is_enabled());
  EXPECT_TRUE(presenter->waits_for_screen());
  EXPECT_FALSE(presenter->enable_again());
  card->other_master = false;
  EXPECT_TRUE(presenter->enable_again());
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterPreemption, CardUnpluggedWhileWaitingForMasterDropsBuffer) {
  make();
  card->other_master = true;
  ASSERT_FALSE(presenter->enable_again());
  EXPECT_EQ(presenter->state(), OutputState::waiting_for_master);
  card->gone = true;
  EXPECT_FALSE(presenter->enable_again());
  EXPECT_EQ(presenter->state(), OutputState::unplugged);
  EXPECT_FALSE(presenter->waits_for_screen());
  // The node is closed with the last buffer, so that the card can return.
  EXPECT_EQ(card->mapping_statistics().of(drmclient::MappingKind::dumb).mapped_bytes, 0U);
  card->gone = card->other_master = false;
  EXPECT_TRUE(presenter->enable_again());
  EXPECT_EQ(presenter->state(), OutputState::enabled);
}

TEST_F(OutputPresenterPreemption, EnableAgainWhileAnotherIsMasterMakesNoBuffer) {
  make();
  card->other_master = true;
  ASSERT_FALSE(presenter->enable_again());
  card->no_memory_for_buffers = true;
  EXPECT_FALSE(presenter->enable_again());
  EXPECT_EQ(presenter->error().value(), EBUSY);
}

TEST_F(OutputPresenterPreemption, ReleaseEndsWaitForMaster) {
  make();
  card->other_master = true;
  ASSERT_FALSE(presenter->enable_again());
  presenter->release();
  EXPECT_FALSE(presenter->waits_for_screen());
}

TEST_F(OutputPresenterPreemption, ModeSetOnSharedCardLeavesOutputStale) {
  make();
  ASSERT_TRUE(presenter->enable(fb_state).has_value());
  EXPECT_TRUE(presenter->is_stale());
}

TEST_F(OutputPresenterPreemption, PreemptedOutputHasNoFrame) {
  make_output();
  card->replaced = true;
  card->other_master = true;
  presenter->check_preemption();
  EXPECT_TRUE(presenter->is_preempted());
  EXPECT_TRUE(presenter->waits_for_screen());
  presenter->upload_damage({write(3, 5, 0x123456)});
  EXPECT_FALSE(presenter->next_frame().has_value());
  presenter->check_preemption();
  EXPECT_TRUE(presenter->is_preempted());
  card->other_master = false;
  presenter->check_preemption();
  EXPECT_FALSE(presenter->is_preempted());
  EXPECT_TRUE(presenter->is_stale());
  show_all();
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterPreemption, PresentRefusedByOtherMasterPreemptsOutput) {
  make_output();
  presenter->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(presenter->next_frame().has_value());
  EXPECT_TRUE(presenter->presented(failure(EBUSY)));
  EXPECT_TRUE(presenter->is_preempted());
  EXPECT_EQ(statistics.failed_presents, 1U);
}

TEST_F(OutputPresenterPreemption, OtherMasterIsLoggedOnlyIfItLasts) {
  make_output();
  const std::error_code busy(EBUSY, std::generic_category());
  presenter->report(busy);
  clock.advance(std::chrono::milliseconds(249));
  presenter->report(busy);
  presenter->report({});
  EXPECT_EQ(log.count("output Virtual-1"), 0);
  presenter->report(busy);
  clock.advance(std::chrono::milliseconds(250));
  presenter->report(busy);
  presenter->report(busy);
  EXPECT_EQ(log.count("another program has the screen"), 1);
  presenter->report({});
  EXPECT_EQ(log.count("is updated again"), 1);
}

TEST_F(OutputPresenterPreemption, OtherErrorsAreLoggedAtOnce) {
  make_output();
  presenter->report({EIO, std::generic_category()});
  presenter->report({EIO, std::generic_category()});
  EXPECT_EQ(log.count("cannot be updated"), 1);
}

TEST_F(OutputPresenterPreemption, UnpluggedCardReleasesOutput) {
  make_output();
  presenter->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(presenter->next_frame().has_value());
  EXPECT_FALSE(presenter->presented(failure(ENODEV)));
  EXPECT_FALSE(presenter->is_enabled());
  EXPECT_EQ(presenter->error().value(), ENODEV);
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(shown(), picture_of(fb_state));
}

TEST_F(OutputPresenterPreemption, ModeAppliedWhileAnotherIsMasterIsSetLater) {
  make_output();
  card->other_master = true;
  const auto smaller = fb_state_of({32, 24});
  EXPECT_TRUE(presenter->apply(smaller).has_value());
  EXPECT_FALSE(presenter->is_enabled());
  EXPECT_TRUE(presenter->waits_for_screen());
  EXPECT_EQ(presenter->fb_state(), smaller);
  card->other_master = false;
  ASSERT_TRUE(presenter->enable_again());
  EXPECT_EQ(shown(), picture_of(smaller));
}

TEST_F(OutputPresenterPreemption, CheckWhileAnotherIsMasterIsNoRefusal) {
  make();
  card->refuse_buffers = EBUSY;
  EXPECT_TRUE(presenter->check(fb_state).has_value());
}
