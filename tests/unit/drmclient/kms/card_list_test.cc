#include "drmclient/card_list.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/fake_drm.h"

using drmclient::card_paths;
using drmclient::CardSummary;
using drmclient::describe;
using drmclient::first_usable;
using drmclient::OutputInfo;
using drmclient::summarize_cards;

namespace {

OutputInfo output(const char* name, bool connected) {
  OutputInfo output;
  output.name = name;
  output.connected = connected;
  return output;
}

CardSummary card(const char* path, const char* driver, std::vector<OutputInfo> outputs) {
  return {path, driver, "", std::move(outputs)};
}

const CardSummary broken{"/dev/dri/card0", "", "cannot open the card /dev/dri/card0: Permission denied", {}};

class CardFolder : public testing::Test {
 protected:
  CardFolder() {
    std::string pattern = testing::TempDir() + "cards-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~CardFolder() override { std::filesystem::remove_all(folder); }
  void touch(const char* name) const { std::ofstream(folder / name).put('x'); }
  std::filesystem::path folder;
};

}  // namespace

TEST(CardPaths, CardsAreSortedByNumber) {
  unit::FakeDrm drm;
  for (const char* name : {"card10", "card2", "renderD128", "card1"}) drm.add_device(name);
  EXPECT_EQ(card_paths(),
            (std::vector{drm.device_path("card1"), drm.device_path("card2"), drm.device_path("card10")}));
}

TEST(CardPaths, ConnectorIsNoCard) {
  unit::FakeDrm drm;
  drm.devices.push_back({"card0-HDMI-A-1", ""});
  EXPECT_TRUE(card_paths().empty());
}

TEST(CardPaths, CardWithoutNodeIsSkipped) {
  unit::FakeDrm drm;
  drm.devices.push_back({"card2", drm.device_path("card2")});
  drm.add_device("card1");
  EXPECT_EQ(card_paths(), std::vector{drm.device_path("card1")});
}

TEST_F(CardFolder, OtherDeviceBecomesProblem) {
  touch("card0");
  const auto cards = summarize_cards({folder / "card0", folder / "card1"});
  ASSERT_EQ(cards.size(), 2U);
  EXPECT_NE(cards[0].problem.find("is not a DRM card"), std::string::npos) << cards[0].problem;
  EXPECT_NE(cards[1].problem.find("there is no card"), std::string::npos) << cards[1].problem;
  EXPECT_EQ(first_usable(cards, std::nullopt), nullptr);
}

TEST(CardList, FirstCardWithConnectedOutputIsUsable) {
  const std::vector cards{broken, card("/dev/dri/card1", "qxl", {output("Virtual-1", false)}),
                          card("/dev/dri/card2", "i915", {output("eDP-1", true)}),
                          card("/dev/dri/card3", "amdgpu", {output("DP-1", true)})};
  EXPECT_EQ(first_usable(cards, std::nullopt), &cards[2]);
}

TEST(CardList, FirstCardWithNamedConnectorIsUsable) {
  const std::vector cards{card("/dev/dri/card0", "i915", {output("eDP-1", true)}),
                          card("/dev/dri/card1", "amdgpu", {output("DP-1", false), output("DP-2", false)})};
  EXPECT_EQ(first_usable(cards, "DP-2"), &cards[1]);
  EXPECT_EQ(first_usable(cards, "HDMI-A-1"), nullptr);
}

TEST(CardList, DescriptionListsDriversAndConnectors) {
  const std::vector cards{
      broken, card("/dev/dri/card1", "qxl", {output("Virtual-1", true), output("Virtual-2", false)}),
      card("/dev/dri/card2", "vgem", {})};
  EXPECT_EQ(describe(cards),
            "\n  /dev/dri/card0: cannot open the card /dev/dri/card0: Permission denied"
            "\n  /dev/dri/card1 (qxl): Virtual-1 connected, Virtual-2 disconnected"
            "\n  /dev/dri/card2 (vgem): no connectors");
}
