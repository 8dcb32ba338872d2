#include "fbemu/output/clone_group.h"

#include <gtest/gtest.h>

#include "tests/support/output_presenter_fixture.h"

using drmclient::Power;
using drmclient::Size;
using fbemu::CloneGroup;
using fbemu::DamageLog;
using fbemu::Outputs;

namespace {

/// A primary output and a clone on a shared card.
class CloneGroupOfTwo : public unit::OutputPresenterFixture {
 protected:
  CloneGroupOfTwo() {
    shared = true;
    headless.outputs = 2;
  }

  void make(Outputs which = Outputs::all) {
    if (!card) build();
    group.emplace(*card, probed(), which, *backing_store, statistics, std::nullopt, clock);
    group->set_fb_state(fb_state);
  }
  void make_output() {
    make();
    ASSERT_TRUE(group->enable(fb_state).has_value());
    show({});
  }
  /// Uploads and presents.
  bool show(const DamageLog::Damage& damage) {
    group->upload(damage, false);
    return group->present();
  }
  [[nodiscard]] CloneGroup::OutputStatus status_of(size_t index) const {
    std::vector<CloneGroup::OutputStatus> statuses;
    group->describe(statuses);
    return statuses.at(index);
  }
  [[nodiscard]] std::vector<bool> enabled() const {
    std::vector<CloneGroup::OutputStatus> statuses;
    group->describe(statuses);
    std::vector<bool> result;
    for (const auto& status : statuses) result.push_back(status.enabled);
    return result;
  }

  std::optional<CloneGroup> group;
};

using Enabled = std::vector<bool>;

}  // namespace

TEST_F(CloneGroupOfTwo, EnableEnablesAllOutputs) {
  make();
  EXPECT_FALSE(group->is_enabled());
  EXPECT_TRUE(group->needs_enable());
  ASSERT_TRUE(group->enable(fb_state).has_value());
  EXPECT_EQ(enabled(), (Enabled{true, true}));
  EXPECT_FALSE(group->needs_enable());
  EXPECT_EQ(shown(first), picture_of(fb_state));
  EXPECT_EQ(shown(second), picture_of(fb_state));
}

TEST_F(CloneGroupOfTwo, ChosenOutputIsEnabledAlone) {
  make(Outputs::one);
  ASSERT_TRUE(group->enable(fb_state).has_value());
  EXPECT_EQ(enabled(), Enabled{true});
}

TEST_F(CloneGroupOfTwo, EnableRefusedByPrimaryEnablesNone) {
  make();
  card->refuse_modes_of = first;
  EXPECT_EQ(group->enable(fb_state).error().value(), EINVAL);
  EXPECT_EQ(enabled(), (Enabled{false, false}));
}

TEST_F(CloneGroupOfTwo, RefusedCloneIsExcludedAndNotTriedAgain) {
  make();
  card->refuse_modes_of = second;
  ASSERT_TRUE(group->enable(fb_state).has_value());
  EXPECT_EQ(enabled(), (Enabled{true, false}));
  EXPECT_EQ(status_of(1).error.value(), EINVAL);
  EXPECT_FALSE(group->needs_enable());
  card->refuse_modes_of = 0;
  group->enable_missing();
  EXPECT_EQ(enabled(), (Enabled{true, false}));
}

TEST_F(CloneGroupOfTwo, ReleaseLetsFailedClonesBeTriedAgain) {
  make();
  card->refuse_modes_of = second;
  ASSERT_TRUE(group->enable(fb_state).has_value());
  card->refuse_modes_of = 0;
  group->release();
  EXPECT_EQ(enabled(), (Enabled{false, false}));
  group->enable_missing();
  EXPECT_EQ(enabled(), (Enabled{true, true}));
}

TEST_F(CloneGroupOfTwo, DamageIsPresentedOnAllOutputs) {
  make_output();
  EXPECT_TRUE(show({.written = {write(3, 5, 0x123456)}, .written_back = {}}));
  EXPECT_EQ(shown(first), picture_of(fb_state));
  EXPECT_EQ(shown(second), picture_of(fb_state));
  EXPECT_FALSE(group->has_work());
}

TEST_F(CloneGroupOfTwo, UnchangedGroupPresentsNothing) {
  make_output();
  static_cast<void>(card->take_presented());
  EXPECT_TRUE(show({}));
  EXPECT_TRUE(card->take_presented().empty());
}

TEST_F(CloneGroupOfTwo, FailedPresentOfCloneIsTriedAgain) {
  make_output();
  card->refuse_presents_of = second;
  EXPECT_TRUE(show({.written = {write(3, 5, 0x123456)}, .written_back = {}}));
  EXPECT_EQ(shown(first), picture_of(fb_state));
  EXPECT_NE(shown(second), picture_of(fb_state));
  EXPECT_EQ(status_of(1).error.value(), EIO);
  EXPECT_FALSE(status_of(0).error);
  EXPECT_TRUE(group->has_work());
  card->refuse_presents_of = 0;
  EXPECT_TRUE(show({}));
  EXPECT_EQ(shown(second), picture_of(fb_state));
}

TEST_F(CloneGroupOfTwo, PresentOnUnpluggedCardReturnsFalse) {
  make_output();
  card->refuse_presents = ENODEV;
  EXPECT_FALSE(show({.written = {write(3, 5, 0x123456)}, .written_back = {}}));
  EXPECT_FALSE(group->is_enabled());
}

TEST_F(CloneGroupOfTwo, LiveUploadShowsPagesOnAllOutputs) {
  make_output();
  group->set_pages(&*pages);
  const uint32_t pixel = 0x123456;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  group->upload({}, true);
  EXPECT_TRUE(group->present());
  EXPECT_EQ(shown(first).front(), 0x123456U);
  EXPECT_EQ(shown(second).front(), 0x123456U);
}

TEST_F(CloneGroupOfTwo, DamageWhileOffOrPreemptedIsShownAfterwards) {
  make_output();
  group->set_power(Power::off);
  EXPECT_TRUE(show({.written = {write(3, 5, 0x111111)}, .written_back = {}}));
  group->set_power(Power::on);
  show({});
  EXPECT_EQ(shown(first), picture_of(fb_state));
  card->other_master = true;
  card->replaced = true;
  group->check_preemption();
  EXPECT_TRUE(group->is_preempted());
  EXPECT_TRUE(show({.written = {write(4, 6, 0x222222)}, .written_back = {}}));
  card->other_master = false;
  card->replaced = false;
  group->check_preemption();
  show({});
  EXPECT_EQ(shown(first), picture_of(fb_state));
  EXPECT_EQ(shown(second), picture_of(fb_state));
}

TEST_F(CloneGroupOfTwo, DamageWhileDisabledIsShownWhenEnabled) {
  make();
  EXPECT_TRUE(show({.written = {write(3, 5, 0x111111)}, .written_back = {}}));
  EXPECT_FALSE(group->has_work());
  group->enable_missing();
  EXPECT_EQ(shown(first), picture_of(fb_state));
  EXPECT_EQ(shown(second), picture_of(fb_state));
}

TEST_F(CloneGroupOfTwo, StaleGroupIsUploadedAsWhole) {
  make_output();
  write(3, 5, 0x111111);  // with damage that was lost
  group->mark_stale();
  EXPECT_TRUE(group->has_work());
  EXPECT_TRUE(show({}));
  EXPECT_EQ(shown(first), picture_of(fb_state));
  EXPECT_EQ(shown(second), picture_of(fb_state));
}

TEST_F(CloneGroupOfTwo, AppliedStateIsShownOnAllOutputs) {
  make_output();
  ASSERT_TRUE(group->apply(panned(16, 64)).has_value());
  show({});
  EXPECT_EQ(shown(first), picture_of(panned(16, 64)));
  EXPECT_EQ(shown(second), picture_of(panned(16, 64)));
}

TEST_F(CloneGroupOfTwo, ModeThatPrimaryRefusesChangesNone) {
  make_output();
  card->refuse_modes_of = first;
  EXPECT_EQ(group->apply(fb_state_of({32, 24})).error().value(), EINVAL);
  EXPECT_EQ(status_of(0).mode.size(), visible);
  EXPECT_EQ(status_of(1).mode.size(), visible);
}

TEST_F(CloneGroupOfTwo, CloneThatRefusesModeIsReleased) {
  build();
  card->plug_other(second, true, {visible, Size{96, 96}});
  make_output();
  card->refuse_modes_of = second;
  EXPECT_TRUE(group->apply(fb_state_of({96, 96})).has_value());
  EXPECT_EQ(status_of(0).mode.size(), (Size{96, 96}));
  EXPECT_EQ(enabled(), (Enabled{true, false}));
  EXPECT_FALSE(group->needs_enable());
}

TEST_F(CloneGroupOfTwo, CloneWithoutModeGoesOnInItsOwn) {
  build();
  card->plug_other(second, true, {visible});
  make_output();
  EXPECT_TRUE(group->apply(fb_state_of({96, 96})).has_value());
  EXPECT_EQ(enabled(), (Enabled{true, true}));
  EXPECT_EQ(status_of(1).mode.size(), visible);
}

TEST_F(CloneGroupOfTwo, StateOfDisabledGroupIsShownWhenEnabled) {
  make();
  ASSERT_TRUE(group->apply(panned(16, 64)).has_value());
  group->enable_missing();
  EXPECT_EQ(shown(first), picture_of(panned(16, 64)));
  EXPECT_EQ(shown(second), picture_of(panned(16, 64)));
}

TEST_F(CloneGroupOfTwo, EnableWaitsWhileAnotherIsMaster) {
  make();
  card->other_master = true;
  group->enable_missing();
  EXPECT_FALSE(group->is_enabled());
  EXPECT_TRUE(group->waits_for_screen());
  EXPECT_TRUE(group->needs_enable());
  card->other_master = false;
  group->enable_missing();
  EXPECT_EQ(enabled(), (Enabled{true, true}));
  EXPECT_FALSE(group->waits_for_screen());
}

TEST_F(CloneGroupOfTwo, ModesAreSetOnceMoreOnEnabledOutputsOnly) {
  make();
  card->crtcs = 1;
  ASSERT_TRUE(group->enable(fb_state).has_value());
  const uint64_t sets = statistics.mode_sets;
  group->enable_once_more();
  EXPECT_EQ(statistics.mode_sets, sets + 1);
}

TEST_F(CloneGroupOfTwo, ModeThatCannotBeSetOnceMoreLeavesOutputStale) {
  make_output();
  card->refuse_modes = EIO;
  group->enable_once_more();
  EXPECT_EQ(enabled(), (Enabled{true, true}));
  EXPECT_TRUE(group->has_work());
}

TEST_F(CloneGroupOfTwo, ReleaseWithoutRestoreReleasesEachOutput) {
  make_output();
  group->release_without_restore();
  EXPECT_EQ(card->leaves, 2U);
  EXPECT_FALSE(group->is_enabled());
}
