#include <gtest/gtest.h>

#include "fbemu/output/clone_group.h"
#include "tests/support/output_presenter_fixture.h"

using drmclient::Size;
using fbemu::CloneGroup;
using fbemu::Outputs;

namespace {

/// A display on a card with three outputs, whose monitors come and go. At first two are connected.
class CloneGroupHotplug : public unit::OutputPresenterFixture {
 protected:
  static constexpr unsigned third = 3;

  CloneGroupHotplug() {
    shared = true;
    headless.outputs = 3;
  }

  void make() {
    build();
    card->plug_other(third, false);
    group.emplace(*card, probed(), Outputs::all, *backing_store, statistics, std::nullopt, clock);
    group->set_fb_state(fb_state);
  }
  void make_output() {
    make();
    group->enable_missing();
  }
  void plug(unsigned output, bool connected) {
    if (output == first) {
      card->plug(connected);
    } else {
      card->plug_other(output, connected);
    }
    group->handle_hotplug();
  }
  /// The names of those that are enabled.
  [[nodiscard]] std::vector<std::string> enabled() const {
    std::vector<CloneGroup::OutputStatus> statuses;
    group->describe(statuses);
    std::vector<std::string> names;
    for (const auto& status : statuses) {
      if (status.enabled) names.push_back(status.name);
    }
    return names;
  }

  std::optional<CloneGroup> group;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_F(CloneGroupHotplug, NewMonitorOfEnabledGroupIsEnabled) {
  make_output();
  ASSERT_EQ(enabled(), (Names{"Virtual-1", "Virtual-2"}));
  plug(third, true);
  EXPECT_EQ(enabled(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
  EXPECT_EQ(shown(third), picture_of(fb_state));
}

TEST_F(CloneGroupHotplug, NewMonitorOfDisabledGroupWaitsWithOthers) {
  make();
  plug(third, true);
  EXPECT_EQ(enabled(), Names{});
  EXPECT_TRUE(group->needs_enable());
  group->enable_missing();
  EXPECT_EQ(enabled(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
}

TEST_F(CloneGroupHotplug, UnpluggedCloneIsReleasedAndRemoved) {
  make_output();
  plug(second, false);
  EXPECT_EQ(enabled(), Names{"Virtual-1"});
  EXPECT_EQ(card->releases, 1U);
  EXPECT_FALSE(group->needs_enable());
}

TEST_F(CloneGroupHotplug, ClonesShowPictureAloneWithoutPrimaryMonitor) {
  make_output();
  plug(first, false);
  EXPECT_EQ(enabled(), Names{"Virtual-2"});
  EXPECT_EQ(group->pacing().info().name, "Virtual-2");
  EXPECT_EQ(group->primary_info().name, "Virtual-1");
  EXPECT_FALSE(group->needs_enable());
  ASSERT_TRUE(group->apply(panned(16, 64)).has_value());
  plug(first, true);
  EXPECT_EQ(enabled(), (Names{"Virtual-1", "Virtual-2"}));
  EXPECT_EQ(shown(first), picture_of(panned(16, 64)));
}

TEST_F(CloneGroupHotplug, LastMonitorUnpluggedStaysEnabled) {
  make_output();
  plug(second, false);
  plug(first, false);
  EXPECT_EQ(enabled(), Names{"Virtual-1"});
  plug(first, true);
  EXPECT_EQ(shown(first), picture_of(fb_state));
}

TEST_F(CloneGroupHotplug, SingleCrtcMovesToCloneAndBack) {
  make();
  card->crtcs = 1;
  group->enable_missing();
  ASSERT_EQ(enabled(), Names{"Virtual-1"});
  plug(first, false);
  EXPECT_EQ(enabled(), Names{"Virtual-2"});
  EXPECT_EQ(shown(second), picture_of(fb_state));
  plug(first, true);
  EXPECT_EQ(enabled(), Names{"Virtual-1"});
  EXPECT_EQ(shown(first), picture_of(fb_state));
}

TEST_F(CloneGroupHotplug, RefusedCloneIsTriedAgain) {
  make();
  card->refuse_modes_of = second;
  group->enable_missing();
  ASSERT_EQ(enabled(), Names{"Virtual-1"});
  card->refuse_modes_of = 0;
  plug(third, true);
  EXPECT_EQ(enabled(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
}

TEST_F(CloneGroupHotplug, MonitorWithOtherModesIsEnabledInOneOfThem) {
  make_output();
  card->plug_monitor({Size{128, 96}});
  group->handle_hotplug();
  EXPECT_EQ(group->pacing().fb_state().mode.size(), (Size{128, 96}));
  EXPECT_EQ(shown(first).size(), size_t{128} * 96);
}

TEST_F(CloneGroupHotplug, UnchangedOutputsKeepTheirMode) {
  make_output();
  const uint64_t sets = statistics.mode_sets;
  group->handle_hotplug();
  EXPECT_EQ(statistics.mode_sets, sets);
}

TEST_F(CloneGroupHotplug, CloneWaitsWhileAnotherIsMaster) {
  make_output();
  card->other_master = true;
  plug(third, true);
  EXPECT_TRUE(group->waits_for_screen());
  card->other_master = false;
  group->enable_missing();
  EXPECT_EQ(enabled(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
}
