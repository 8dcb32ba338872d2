#include <gtest/gtest.h>

#include "fbemu/output/clone_group.h"
#include "tests/support/output_presenter_fixture.h"

using drmclient::Size;
using fbemu::Display;
using fbemu::Outputs;

namespace {

/// A display on a card with three outputs, whose monitors come and go. At first two are connected.
class DisplayHotplug : public unit::ScreenFixture {
 protected:
  static constexpr drmclient::OutputId third = 3;

  DisplayHotplug() {
    shared = true;
    headless.outputs = 3;
  }

  void make() {
    build();
    card->plug_other(third, false);
    display.emplace(*card, outputs().front(), Outputs::all, *shadow, statistics, std::nullopt, clock);
    display->set_scene(scene);
  }
  void make_lit() {
    make();
    display->light_missing();
  }
  void plug(drmclient::OutputId output, bool connected) {
    if (output == first) {
      card->plug(connected);
    } else {
      card->plug_other(output, connected);
    }
    display->handle_hotplug();
  }
  /// The names of those that are lit.
  [[nodiscard]] std::vector<std::string> lit() const {
    std::vector<Display::OutputStatus> statuses;
    display->describe(statuses);
    std::vector<std::string> names;
    for (const auto& status : statuses) {
      if (status.lit) names.push_back(status.name);
    }
    return names;
  }

  std::optional<Display> display;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_F(DisplayHotplug, NewMonitorOfALitDisplayIsLit) {
  make_lit();
  ASSERT_EQ(lit(), (Names{"Virtual-1", "Virtual-2"}));
  plug(third, true);
  EXPECT_EQ(lit(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
  EXPECT_EQ(shown(third), picture_of(scene));
}

TEST_F(DisplayHotplug, NewMonitorOfADarkDisplayWaitsWithTheOthers) {
  make();
  plug(third, true);
  EXPECT_EQ(lit(), Names{});
  EXPECT_TRUE(display->wants_light());
  display->light_missing();
  EXPECT_EQ(lit(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
}

TEST_F(DisplayHotplug, UnpluggedFollowerIsGivenBackAndForgotten) {
  make_lit();
  plug(second, false);
  EXPECT_EQ(lit(), Names{"Virtual-1"});
  EXPECT_EQ(card->releases, 1U);
  EXPECT_FALSE(display->wants_light());
}

TEST_F(DisplayHotplug, FollowersShowThePictureAloneWithoutTheLeadingMonitor) {
  make_lit();
  plug(first, false);
  EXPECT_EQ(lit(), Names{"Virtual-2"});
  EXPECT_EQ(display->pacing().output().name, "Virtual-2");
  EXPECT_EQ(display->leading_output().name, "Virtual-1");
  EXPECT_FALSE(display->wants_light());
  ASSERT_EQ(display->apply(panned(16, 64)), 0);
  plug(first, true);
  EXPECT_EQ(lit(), (Names{"Virtual-1", "Virtual-2"}));
  EXPECT_EQ(shown(first), picture_of(panned(16, 64)));
}

TEST_F(DisplayHotplug, LastMonitorThatIsUnpluggedStaysLit) {
  make_lit();
  plug(second, false);
  plug(first, false);
  EXPECT_EQ(lit(), Names{"Virtual-1"});
  plug(first, true);
  EXPECT_EQ(shown(first), picture_of(scene));
}

TEST_F(DisplayHotplug, SingleCrtcGoesToTheFollowerAndBack) {
  make();
  card->crtcs = 1;
  display->light_missing();
  ASSERT_EQ(lit(), Names{"Virtual-1"});
  plug(first, false);
  EXPECT_EQ(lit(), Names{"Virtual-2"});
  EXPECT_EQ(shown(second), picture_of(scene));
  plug(first, true);
  EXPECT_EQ(lit(), Names{"Virtual-1"});
  EXPECT_EQ(shown(first), picture_of(scene));
}

TEST_F(DisplayHotplug, RefusedFollowerIsTriedAgain) {
  make();
  card->refuse_modes_of = second;
  display->light_missing();
  ASSERT_EQ(lit(), Names{"Virtual-1"});
  card->refuse_modes_of = 0;
  plug(third, true);
  EXPECT_EQ(lit(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
}

TEST_F(DisplayHotplug, MonitorWithOtherModesIsLitInOneOfThem) {
  make_lit();
  card->plug_monitor({Size{128, 96}});
  display->handle_hotplug();
  EXPECT_EQ(display->pacing().scene().mode.size(), (Size{128, 96}));
  EXPECT_EQ(shown(first).size(), size_t{128} * 96);
}

TEST_F(DisplayHotplug, UnchangedOutputsAreLeftAlone) {
  make_lit();
  const uint64_t sets = statistics.mode_sets;
  display->handle_hotplug();
  EXPECT_EQ(statistics.mode_sets, sets);
}

TEST_F(DisplayHotplug, FollowerOfAScreenThatAnotherHasIsLitWhenThatOneLeaves) {
  make_lit();
  card->other_master = true;
  plug(third, true);
  EXPECT_TRUE(display->waits_for_screen());
  card->other_master = false;
  display->light_missing();
  EXPECT_EQ(lit(), (Names{"Virtual-1", "Virtual-2", "Virtual-3"}));
}
