#include <gtest/gtest.h>

#include "fbemu/output/output_presenter.h"
#include "tests/support/output_presenter_fixture.h"

using base::failure;
using fbemu::Screen;

namespace {

/// One output of a card that other processes are DRM masters of as well, or that is unplugged.
class ScreenAndOthers : public unit::ScreenFixture {
 protected:
  ScreenAndOthers() { shared = true; }

  void make() {
    build();
    screen.emplace(*card, outputs().front(), *shadow, statistics, std::nullopt, Screen::Role::leads, clock);
    screen->set_scene(scene);
  }
  void make_lit() {
    make();
    ASSERT_TRUE(screen->light(scene).has_value());
    show_all();
  }
  void show_all() {
    screen->upload_all();
    const auto frame = screen->next_frame();
    ASSERT_TRUE(frame.has_value());
    ASSERT_TRUE(
        screen->presented(card->present(frame->output, *frame->buffer, frame->origin, frame->damage)));
  }

  std::optional<Screen> screen;
};

}  // namespace

TEST_F(ScreenAndOthers, LightWhileAnotherIsMasterFailsAndWaitsForTheScreen) {
  make();
  card->other_master = true;
  EXPECT_EQ(screen->light(scene).error().value(), EBUSY);
  EXPECT_FALSE(screen->is_lit());
  EXPECT_TRUE(screen->waits_for_screen());
  EXPECT_FALSE(screen->light_again());
  card->other_master = false;
  EXPECT_TRUE(screen->light_again());
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenAndOthers, LightAgainWhileAnotherIsMasterMakesNoBuffer) {
  make();
  card->other_master = true;
  ASSERT_FALSE(screen->light_again());
  card->no_memory_for_buffers = true;
  EXPECT_FALSE(screen->light_again());
  EXPECT_EQ(screen->error().value(), EBUSY);
}

TEST_F(ScreenAndOthers, WaitingForTheScreenEndsWhenItIsGivenBack) {
  make();
  card->other_master = true;
  ASSERT_FALSE(screen->light_again());
  screen->give_back();
  EXPECT_FALSE(screen->waits_for_screen());
}

TEST_F(ScreenAndOthers, ModeSetLeavesTheScreenStaleBecauseItMayWipeTheMemory) {
  make();
  ASSERT_TRUE(screen->light(scene).has_value());
  EXPECT_TRUE(screen->is_stale());
}

TEST_F(ScreenAndOthers, CoveredScreenHasNoFrameUntilTheOtherMasterLeaves) {
  make_lit();
  card->replaced = true;
  card->other_master = true;
  screen->look_for_other_masters();
  EXPECT_TRUE(screen->is_covered());
  EXPECT_TRUE(screen->waits_for_screen());
  screen->upload_damage({write(3, 5, 0x123456)});
  EXPECT_FALSE(screen->next_frame().has_value());
  screen->look_for_other_masters();
  EXPECT_TRUE(screen->is_covered());
  card->other_master = false;
  screen->look_for_other_masters();
  EXPECT_FALSE(screen->is_covered());
  EXPECT_TRUE(screen->is_stale());
  show_all();
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenAndOthers, PresentThatAnotherMasterRefusesCoversTheScreen) {
  make_lit();
  screen->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(screen->next_frame().has_value());
  EXPECT_TRUE(screen->presented(failure(EBUSY)));
  EXPECT_TRUE(screen->is_covered());
  EXPECT_EQ(statistics.failed_presents, 1U);
}

TEST_F(ScreenAndOthers, AnotherMasterIsLoggedOnlyIfItKeepsTheScreen) {
  make_lit();
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

TEST_F(ScreenAndOthers, OtherErrorsAreLoggedAtOnce) {
  make_lit();
  screen->report({EIO, std::generic_category()});
  screen->report({EIO, std::generic_category()});
  EXPECT_EQ(log.count("cannot be updated"), 1);
}

TEST_F(ScreenAndOthers, UnpluggedCardGivesTheOutputBack) {
  make_lit();
  screen->upload_damage({write(3, 5, 0x123456)});
  ASSERT_TRUE(screen->next_frame().has_value());
  EXPECT_FALSE(screen->presented(failure(ENODEV)));
  EXPECT_FALSE(screen->is_lit());
  EXPECT_EQ(screen->error().value(), ENODEV);
  ASSERT_TRUE(screen->light_again());
  EXPECT_EQ(shown(), picture_of(scene));
}

TEST_F(ScreenAndOthers, ModeThatIsAppliedWhileAnotherIsMasterIsSetWhenItLeaves) {
  make_lit();
  card->other_master = true;
  const auto smaller = scene_of({32, 24});
  EXPECT_EQ(screen->apply(smaller), 0);
  EXPECT_FALSE(screen->is_lit());
  EXPECT_TRUE(screen->waits_for_screen());
  EXPECT_EQ(screen->scene(), smaller);
  card->other_master = false;
  ASSERT_TRUE(screen->light_again());
  EXPECT_EQ(shown(), picture_of(smaller));
}

TEST_F(ScreenAndOthers, CheckWhileAnotherIsMasterIsNoRefusal) {
  make();
  card->refuse_buffers = EBUSY;
  EXPECT_TRUE(screen->check(scene).has_value());
}
