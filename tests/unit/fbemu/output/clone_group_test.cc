#include "fbemu/output/clone_group.h"

#include <gtest/gtest.h>

#include "tests/support/output_presenter_fixture.h"

using drmclient::Power;
using drmclient::Size;
using fbemu::DamageLog;
using fbemu::Display;
using fbemu::Outputs;

namespace {

/// A leading output and a follower on a shared card.
class DisplayOfTwo : public unit::ScreenFixture {
 protected:
  DisplayOfTwo() {
    shared = true;
    headless.outputs = 2;
  }

  void make(Outputs which = Outputs::all) {
    if (!card) build();
    display.emplace(*card, outputs().front(), which, *shadow, statistics, std::nullopt, clock);
    display->set_scene(scene);
  }
  void make_lit() {
    make();
    ASSERT_TRUE(display->light(scene).has_value());
    show({});
  }
  /// Uploads and presents.
  bool show(const DamageLog::Damage& damage) {
    display->upload(damage, false);
    return display->present();
  }
  [[nodiscard]] Display::OutputStatus status_of(size_t index) const {
    std::vector<Display::OutputStatus> statuses;
    display->describe(statuses);
    return statuses.at(index);
  }
  [[nodiscard]] std::vector<bool> lit() const {
    std::vector<Display::OutputStatus> statuses;
    display->describe(statuses);
    std::vector<bool> result;
    for (const auto& status : statuses) result.push_back(status.lit);
    return result;
  }

  std::optional<Display> display;
};

using Lit = std::vector<bool>;

}  // namespace

TEST_F(DisplayOfTwo, LightLightsAllOutputs) {
  make();
  EXPECT_FALSE(display->is_lit());
  EXPECT_TRUE(display->wants_light());
  ASSERT_TRUE(display->light(scene).has_value());
  EXPECT_EQ(lit(), (Lit{true, true}));
  EXPECT_FALSE(display->wants_light());
  EXPECT_EQ(shown(first), picture_of(scene));
  EXPECT_EQ(shown(second), picture_of(scene));
}

TEST_F(DisplayOfTwo, ChosenOutputIsLitAlone) {
  make(Outputs::one);
  ASSERT_TRUE(display->light(scene).has_value());
  EXPECT_EQ(lit(), Lit{true});
}

TEST_F(DisplayOfTwo, LightThatTheLeadingOutputRefusesLightsNone) {
  make();
  card->refuse_modes_of = first;
  EXPECT_EQ(display->light(scene).error().value(), EINVAL);
  EXPECT_EQ(lit(), (Lit{false, false}));
}

TEST_F(DisplayOfTwo, FollowerThatRefusesIsLeftOutAndNotTriedAgain) {
  make();
  card->refuse_modes_of = second;
  ASSERT_TRUE(display->light(scene).has_value());
  EXPECT_EQ(lit(), (Lit{true, false}));
  EXPECT_EQ(status_of(1).error.value(), EINVAL);
  EXPECT_FALSE(display->wants_light());
  card->refuse_modes_of = 0;
  display->light_missing();
  EXPECT_EQ(lit(), (Lit{true, false}));
}

TEST_F(DisplayOfTwo, RefusalsAreForgottenWhenTheScreenIsGivenBack) {
  make();
  card->refuse_modes_of = second;
  ASSERT_TRUE(display->light(scene).has_value());
  card->refuse_modes_of = 0;
  display->give_back();
  EXPECT_EQ(lit(), (Lit{false, false}));
  display->light_missing();
  EXPECT_EQ(lit(), (Lit{true, true}));
}

TEST_F(DisplayOfTwo, DamageIsPresentedOnAllOutputs) {
  make_lit();
  EXPECT_TRUE(show({.written = {write(3, 5, 0x123456)}, .written_back = {}}));
  EXPECT_EQ(shown(first), picture_of(scene));
  EXPECT_EQ(shown(second), picture_of(scene));
  EXPECT_FALSE(display->has_work());
}

TEST_F(DisplayOfTwo, UnchangedDisplayPresentsNothing) {
  make_lit();
  static_cast<void>(card->take_presented());
  EXPECT_TRUE(show({}));
  EXPECT_TRUE(card->take_presented().empty());
}

TEST_F(DisplayOfTwo, FollowerWhosePresentFailsHoldsUpNoOneAndIsTriedAgain) {
  make_lit();
  card->refuse_presents_of = second;
  EXPECT_TRUE(show({.written = {write(3, 5, 0x123456)}, .written_back = {}}));
  EXPECT_EQ(shown(first), picture_of(scene));
  EXPECT_NE(shown(second), picture_of(scene));
  EXPECT_EQ(status_of(1).error.value(), EIO);
  EXPECT_FALSE(status_of(0).error);
  EXPECT_TRUE(display->has_work());
  card->refuse_presents_of = 0;
  EXPECT_TRUE(show({}));
  EXPECT_EQ(shown(second), picture_of(scene));
}

TEST_F(DisplayOfTwo, PresentOnAnUnpluggedCardReturnsFalse) {
  make_lit();
  card->refuse_presents = ENODEV;
  EXPECT_FALSE(show({.written = {write(3, 5, 0x123456)}, .written_back = {}}));
  EXPECT_FALSE(display->is_lit());
}

TEST_F(DisplayOfTwo, LiveUploadShowsThePagesOnAllOutputs) {
  make_lit();
  display->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  display->upload({}, true);
  EXPECT_TRUE(display->present());
  EXPECT_EQ(shown(first).front(), 0x123456U);
  EXPECT_EQ(shown(second).front(), 0x123456U);
}

TEST_F(DisplayOfTwo, DamageWhileOffOrCoveredIsShownAfterwards) {
  make_lit();
  display->set_power(Power::off);
  EXPECT_TRUE(show({.written = {write(3, 5, 0x111111)}, .written_back = {}}));
  display->set_power(Power::on);
  show({});
  EXPECT_EQ(shown(first), picture_of(scene));
  card->other_master = true;
  card->replaced = true;
  display->look_for_other_masters();
  EXPECT_TRUE(display->is_covered());
  EXPECT_TRUE(show({.written = {write(4, 6, 0x222222)}, .written_back = {}}));
  card->other_master = false;
  card->replaced = false;
  display->look_for_other_masters();
  show({});
  EXPECT_EQ(shown(first), picture_of(scene));
  EXPECT_EQ(shown(second), picture_of(scene));
}

TEST_F(DisplayOfTwo, DamageWhileDarkIsShownWhenLit) {
  make();
  EXPECT_TRUE(show({.written = {write(3, 5, 0x111111)}, .written_back = {}}));
  EXPECT_FALSE(display->has_work());
  display->light_missing();
  EXPECT_EQ(shown(first), picture_of(scene));
  EXPECT_EQ(shown(second), picture_of(scene));
}

TEST_F(DisplayOfTwo, StaleDisplayIsUploadedAsAWhole) {
  make_lit();
  write(3, 5, 0x111111);  // with damage that was lost
  display->mark_stale();
  EXPECT_TRUE(display->has_work());
  EXPECT_TRUE(show({}));
  EXPECT_EQ(shown(first), picture_of(scene));
  EXPECT_EQ(shown(second), picture_of(scene));
}

TEST_F(DisplayOfTwo, AppliedSceneIsShownOnAllOutputs) {
  make_lit();
  ASSERT_EQ(display->apply(panned(16, 64)), 0);
  show({});
  EXPECT_EQ(shown(first), picture_of(panned(16, 64)));
  EXPECT_EQ(shown(second), picture_of(panned(16, 64)));
}

TEST_F(DisplayOfTwo, ModeThatTheLeadingOutputRefusesChangesNone) {
  make_lit();
  card->refuse_modes_of = first;
  EXPECT_EQ(display->apply(scene_of({32, 24})), EINVAL);
  EXPECT_EQ(status_of(0).mode.size(), visible);
  EXPECT_EQ(status_of(1).mode.size(), visible);
}

TEST_F(DisplayOfTwo, FollowerThatRefusesAModeIsGivenBack) {
  build();
  card->plug_other(second, true, {visible, Size{96, 96}});
  make_lit();
  card->refuse_modes_of = second;
  EXPECT_EQ(display->apply(scene_of({96, 96})), 0);
  EXPECT_EQ(status_of(0).mode.size(), (Size{96, 96}));
  EXPECT_EQ(lit(), (Lit{true, false}));
  EXPECT_FALSE(display->wants_light());
}

TEST_F(DisplayOfTwo, FollowerWithoutTheModeGoesOnInItsOwn) {
  build();
  card->plug_other(second, true, {visible});
  make_lit();
  EXPECT_EQ(display->apply(scene_of({96, 96})), 0);
  EXPECT_EQ(lit(), (Lit{true, true}));
  EXPECT_EQ(status_of(1).mode.size(), visible);
}

TEST_F(DisplayOfTwo, SceneOfADarkDisplayIsShownWhenLit) {
  make();
  ASSERT_EQ(display->apply(panned(16, 64)), 0);
  display->light_missing();
  EXPECT_EQ(shown(first), picture_of(panned(16, 64)));
  EXPECT_EQ(shown(second), picture_of(panned(16, 64)));
}

TEST_F(DisplayOfTwo, LightWaitsWhileAnotherIsMaster) {
  make();
  card->other_master = true;
  display->light_missing();
  EXPECT_FALSE(display->is_lit());
  EXPECT_TRUE(display->waits_for_screen());
  EXPECT_TRUE(display->wants_light());
  card->other_master = false;
  display->light_missing();
  EXPECT_EQ(lit(), (Lit{true, true}));
  EXPECT_FALSE(display->waits_for_screen());
}

TEST_F(DisplayOfTwo, ModesAreSetOnceMoreOnLitOutputsOnly) {
  make();
  card->crtcs = 1;
  ASSERT_TRUE(display->light(scene).has_value());
  const uint64_t sets = statistics.mode_sets;
  display->light_once_more();
  EXPECT_EQ(statistics.mode_sets, sets + 1);
}

TEST_F(DisplayOfTwo, ModeThatCannotBeSetOnceMoreLeavesTheOutputStale) {
  make_lit();
  card->refuse_modes = EIO;
  display->light_once_more();
  EXPECT_EQ(lit(), (Lit{true, true}));
  EXPECT_TRUE(display->has_work());
}

TEST_F(DisplayOfTwo, LeftDisplayLeavesEachOutput) {
  make_lit();
  display->leave();
  EXPECT_EQ(card->leaves, 2U);
  EXPECT_FALSE(display->is_lit());
}
