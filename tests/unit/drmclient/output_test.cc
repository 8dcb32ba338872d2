#include "drmclient/output.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <optional>

using drmclient::choose_mode;
using drmclient::make_mode;
using drmclient::Mode;
using drmclient::OutputInfo;
using drmclient::Size;

namespace {

Mode named(Mode mode, const char* name) {
  mode.name = name;
  return mode;
}

/// Returns the output of a monitor with three listed modes and no custom ones.
OutputInfo monitor() {
  OutputInfo output;
  output.name = "HDMI-A-1";
  output.connected = true;
  output.modes = {named(make_mode({1920, 1080}, 60'000), "best"),
                  named(make_mode({1920, 1080}, 50'000), "slow"),
                  named(make_mode({1280, 720}, 60'000), "small")};
  return output;
}

OutputInfo monitor_with_custom_modes() {
  OutputInfo output = monitor();
  output.custom_modes_up_to = {4096, 2160};
  return output;
}

}  // namespace

TEST(ChooseMode, NoRequestedRateGivesFirstModeOfSize) {
  EXPECT_EQ(choose_mode(monitor(), {1920, 1080})->name, "best");
  EXPECT_EQ(choose_mode(monitor(), {1280, 720})->name, "small");
}

TEST(ChooseMode, RequestedRateGivesNearestMode) {
  EXPECT_EQ(choose_mode(monitor(), {1920, 1080}, 51'000)->name, "slow");
  EXPECT_EQ(choose_mode(monitor(), {1920, 1080}, 75'000)->name, "best");
}

TEST(ChooseMode, EquallyNearModesGiveFirst) {
  EXPECT_EQ(choose_mode(monitor(), {1920, 1080}, 55'000)->name, "best");
}

TEST(ChooseMode, UnlistedSizeReturnsEinval) {
  const auto mode = choose_mode(monitor(), {1024, 768});
  ASSERT_FALSE(mode.has_value());
  EXPECT_EQ(mode.error().value(), EINVAL);
}

TEST(ChooseMode, UnlistedSizeIsMadeForCustomModes) {
  const auto mode = choose_mode(monitor_with_custom_modes(), {1024, 768});
  ASSERT_TRUE(mode.has_value());
  EXPECT_EQ(*mode, make_mode({1024, 768}, 60'000));
}

TEST(ChooseMode, RateBeyondOneHertzIsMade) {
  EXPECT_EQ(*choose_mode(monitor_with_custom_modes(), {1920, 1080}, 61'100), make_mode({1920, 1080}, 61'100));
}

TEST(ChooseMode, ListedModeWithinOneHertzIsPreferred) {
  EXPECT_EQ(choose_mode(monitor_with_custom_modes(), {1920, 1080}, 60'900)->name, "best");
  EXPECT_EQ(choose_mode(monitor_with_custom_modes(), {1920, 1080}, 50'400)->name, "slow");
}

TEST(ChooseMode, SizeAboveCustomLimitReturnsEinval) {
  EXPECT_TRUE(choose_mode(monitor_with_custom_modes(), {4096, 2160}).has_value());
  EXPECT_FALSE(choose_mode(monitor_with_custom_modes(), {4097, 2160}).has_value());
  EXPECT_FALSE(choose_mode(monitor_with_custom_modes(), {4096, 2161}).has_value());
}

TEST(ChooseMode, SizeBelow8x8ReturnsEinval) {
  EXPECT_TRUE(choose_mode(monitor_with_custom_modes(), {8, 8}).has_value());
  EXPECT_FALSE(choose_mode(monitor_with_custom_modes(), {7, 8}).has_value());
  EXPECT_FALSE(choose_mode(monitor_with_custom_modes(), {8, 7}).has_value());
}

TEST(ChooseMode, OutputWithoutModesReturnsEinval) {
  EXPECT_FALSE(choose_mode(OutputInfo{}, {1920, 1080}).has_value());
}

RC_GTEST_PROP(ChooseMode, ChosenModeIsNearestOfSize, ()) {
  OutputInfo output = monitor();
  if (*rc::gen::arbitrary<bool>()) output = monitor_with_custom_modes();
  const Size size = *rc::gen::element(Size{1920, 1080}, Size{1280, 720}, Size{640, 480});
  const auto wish = *rc::gen::inRange<uint32_t>(1'000, 200'000);
  const auto chosen = choose_mode(output, size, wish);
  if (!chosen) {
    RC_ASSERT(output.custom_modes_up_to == Size{});
    return;
  }
  RC_ASSERT(chosen->size() == size);
  const auto distance = [&](const Mode& mode) {
    return std::abs(int64_t{mode.refresh_millihertz()} - int64_t{wish});
  };
  for (const Mode& mode : output.modes) {
    if (mode.size() == size) RC_ASSERT(distance(*chosen) <= distance(mode));
  }
}
