#include "cuse/bin/card_choice.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

#include "drmclient/headless/headless_card.h"
#include "tests/support/faulty_card.h"
#include "tests/support/thrown.h"

using cuse::choose_output;
using cuse::open_card;
using unit::thrown_by;

TEST(OpenCard, HeadlessIsFullHdAt60Hz) {
  const auto card = open_card("headless");
  EXPECT_EQ(card->info().driver, "headless");
  const auto mode = card->probe()->front()->info().modes.front();
  EXPECT_EQ(mode.size(), (drmclient::Size{1920, 1080}));
  EXPECT_EQ(mode.refresh_millihertz(), 60'000U);
}

TEST(OpenCard, HeadlessWithSizeAndRateHasThatMode) {
  EXPECT_EQ(open_card("headless:1280x720")->probe()->front()->info().modes.front().refresh_millihertz(),
            60'000U);
  const auto mode = open_card("headless:1280x720@75")->probe()->front()->info().modes.front();
  EXPECT_EQ(mode.size(), (drmclient::Size{1280, 720}));
  EXPECT_EQ(mode.refresh_millihertz(), 75'000U);
}

TEST(OpenCard, HeadlessUsesTheChosenMapping) {
  for (const auto& [choice, name] : std::vector<std::pair<drmclient::MappingChoice, std::string_view>>{
           {drmclient::MappingChoice::automatic, "memory"},
           {drmclient::MappingChoice::dumb, "memory"},
           {drmclient::MappingChoice::dma_buf, "dma-buf"},
           {drmclient::MappingChoice::shadow, "shadow"}}) {
    for (const char* word : {"headless", "headless:64x48"}) {
      const auto card = open_card(word, std::nullopt, choice);
      const auto buffer = std::move(*card->create_buffer({64, 48}, drmclient::PixelFormat::xrgb8888));
      drmclient::Output& output = *card->probe()->front();
      ASSERT_TRUE(output.set_mode(drmclient::make_mode({64, 48}), *buffer, {}).has_value());
      EXPECT_EQ(output.driver_paths().mapping, name);
    }
  }
}

TEST(OpenCard, MappingInTheCardNameReturnsEinval) {
  const auto thrown = thrown_by([] { static_cast<void>(open_card("auto,mapping=dumb")); });
  EXPECT_EQ(thrown.code, EINVAL);
  EXPECT_TRUE(thrown.says("neither commit=atomic, commit=legacy nor format=FOURCC")) << thrown.what;
}

TEST(OpenCard, BadGeometryReturnsEinvalAndTheSyntax) {
  for (const char* word : {"headless:x", "headless:1280", "headless:1280x720@", "headless:1280x720@0"}) {
    const auto thrown = thrown_by([&] { static_cast<void>(open_card(word)); });
    EXPECT_EQ(thrown.code, EINVAL);
    EXPECT_TRUE(thrown.says(word)) << thrown.what;
    EXPECT_TRUE(thrown.says("headless:WxH")) << thrown.what;
  }
}

TEST(OpenCard, SizeOutsideTheLimitsReturnsEinvalAndTheLimits) {
  for (const char* word : {"headless:4x4", "headless:8193x8"}) {
    const auto thrown = thrown_by([&] { static_cast<void>(open_card(word)); });
    EXPECT_EQ(thrown.code, EINVAL);
    EXPECT_TRUE(thrown.says("from 8x8 to 8192x8192")) << thrown.what;
  }
}

TEST(OpenCard, MissingDrmNodeReturnsEnoentAndItsPath) {
  const auto thrown = thrown_by([&] { static_cast<void>(open_card("/dev/dri/missing")); });
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says("/dev/dri/missing")) << thrown.what;
}

TEST(OpenCard, UnknownWordReturnsEinvalAndThePossibleWords) {
  for (const char* word : {"", "headles", "headless:", "Headless", "card0", "headlessX"}) {
    const auto thrown = thrown_by([&] { static_cast<void>(open_card(word)); });
    EXPECT_EQ(thrown.code, EINVAL) << word;
    EXPECT_TRUE(thrown.says("neither auto, headless, headless:WxH[@HZ] nor")) << thrown.what;
  }
}

TEST(ChooseOutput, ReturnsTheFirstConnectedOrTheNamedOutput) {
  drmclient::HeadlessCard card({});
  EXPECT_EQ(choose_output(card, std::nullopt).info().name, "Virtual-1");
  EXPECT_EQ(choose_output(card, "Virtual-1").info().name, "Virtual-1");
}

TEST(ChooseOutput, NamedOutputMayBeDisconnected) {
  unit::FaultyCard card({});
  card.set_connected(false);
  EXPECT_FALSE(choose_output(card, "Virtual-1").info().connected);
}

TEST(ChooseOutput, UnknownNameReturnsEnodevAndTheConnectors) {
  drmclient::HeadlessCard card({});
  const auto thrown = thrown_by([&] { static_cast<void>(choose_output(card, "HDMI-A-1")); });
  EXPECT_EQ(thrown.code, ENODEV);
  EXPECT_TRUE(thrown.says("no connector \"HDMI-A-1\"")) << thrown.what;
  EXPECT_TRUE(thrown.says("Virtual-1 (connected)")) << thrown.what;
}

TEST(ChooseOutput, NoConnectedOutputReturnsEnodevAndTheConnectors) {
  unit::FaultyCard card({});
  card.set_connected(false);
  const auto thrown = thrown_by([&] { static_cast<void>(choose_output(card, std::nullopt)); });
  EXPECT_EQ(thrown.code, ENODEV);
  EXPECT_TRUE(thrown.says("its connectors: Virtual-1")) << thrown.what;
  EXPECT_FALSE(thrown.says("(connected)")) << thrown.what;
}
