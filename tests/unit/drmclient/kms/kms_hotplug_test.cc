// Tests of a KmsCard whose outputs change, or which is unplugged and returns.
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/kms_card_fixture.h"

using KmsHotplug = unit::KmsCardFixture;

namespace {

/// Waits for an event of the card in real time. Returns false if there is none.
bool has_event(const drmclient::KmsCard& card) {
  pollfd event{card.event_descriptor(), POLLIN, 0};
  return ::poll(&event, 1, 30'000) == 1;
}

}  // namespace

TEST_F(KmsHotplug, RemovedCardGivesHotplugEvent) {
  drm.send_uevent("remove", false);
  EXPECT_EQ(hotplugs(), 1U);
}

TEST_F(KmsHotplug, ReturnedCardGivesHotplugEventAndNewModes) {
  ASSERT_TRUE(card->probe().value().at(0)->info().connected);
  buffer.reset();
  drm.remove_node();
  drm.send_uevent("remove", false);
  ASSERT_EQ(hotplugs(), 1U);
  ASSERT_EQ(card->probe().error().value(), ENODEV);

  drm.connector(first)->modes.push_back(unit::FakeDrm::a_mode());
  drm.add_node();
  drm.send_uevent("add", false);
  ASSERT_TRUE(has_event(*card));
  EXPECT_EQ(hotplugs(), 1U);
  const auto probed = card->probe();
  ASSERT_TRUE(probed.has_value());
  EXPECT_TRUE(probed->at(0)->info().connected);
  EXPECT_EQ(probed->at(0)->info().modes.size(), 2U);
}

TEST_F(KmsHotplug, UnprobedOutputIsProbedAgainLater) {
  // The state after a driver has returned while another process is DRM master.
  drm.connector(first)->probed = false;
  drm.other_master = true;
  const auto probed = card->probe();
  ASSERT_TRUE(probed.has_value());
  ASSERT_FALSE(probed->at(0)->info().connected) << "the kernel has not probed it yet";
  drm.other_master = false;
  ASSERT_TRUE(has_event(*card));
  EXPECT_EQ(hotplugs(), 1U);
  EXPECT_TRUE(card->probe().value().at(0)->info().connected);
}

TEST_F(KmsHotplug, OutputProbedByOtherMasterIsNotProbedAgain) {
  drm.other_master = true;
  ASSERT_TRUE(card->probe().value().at(0)->info().connected);
  pollfd event{card->event_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 0), 0);
  EXPECT_EQ(hotplugs(), 0U);
}

TEST_F(KmsHotplug, VanishedConnectorIsDisconnectedAndKeepsItsOutput) {
  ASSERT_TRUE(output(second).info().connected);
  const auto connector = drm.connectors.back();
  drm.connectors.pop_back();
  EXPECT_EQ(card->probe().value(), std::vector{&output(first)});
  EXPECT_FALSE(output(second).info().connected);
  drm.connectors.push_back(connector);
  EXPECT_EQ(card->probe().value(), outputs);
  EXPECT_TRUE(output(second).info().connected);
}

TEST_F(KmsHotplug, NewConnectorHasNewOutput) {
  drm.connectors.push_back({43, true, {unit::FakeDrm::a_mode()}, 0, true});
  drm.encoders.push_back({53, 4, 0});
  drm.crtcs.push_back({33, 0, {}, false});
  const auto probed = card->probe().value();
  ASSERT_EQ(probed.size(), 3U);
  EXPECT_TRUE(probed.back()->set_mode(mode, *buffer, {}).has_value());
}
