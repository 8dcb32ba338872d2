#include "drmclient/kms/udev_monitor.h"

#include <gtest/gtest.h>

using drmclient::concerns_outputs;

namespace {

constexpr const char* card = "/dev/dri/card0";

}  // namespace

TEST(UdevEvents, AHotplugOfTheCardConcernsItsOutputs) {
  EXPECT_TRUE(concerns_outputs({"change", "/dev/dri/card0", "1"}, card));
}

TEST(UdevEvents, TheKernelNamesNodesWithoutTheirFolder) {
  EXPECT_TRUE(concerns_outputs({"change", "dri/card0", "1"}, card));
}

TEST(UdevEvents, AChangeWithoutHotplugDoesNot) {
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card0", ""}, card));
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card0", "0"}, card));
}

TEST(UdevEvents, TheEndOfTheCardDoes) {
  EXPECT_TRUE(concerns_outputs({"remove", "/dev/dri/card0", ""}, card));
}

TEST(UdevEvents, TheReturnOfTheCardDoes) {
  EXPECT_TRUE(concerns_outputs({"add", "/dev/dri/card0", ""}, card));
}

TEST(UdevEvents, OtherCardsAndConnectorsDoNot) {
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card1", "1"}, card));
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card00", "1"}, card));
  EXPECT_FALSE(concerns_outputs({"remove", "", ""}, card));
  EXPECT_FALSE(concerns_outputs({"add", "/dev/dri/card1", ""}, card));
  EXPECT_FALSE(concerns_outputs({"add", "", ""}, card));
}
