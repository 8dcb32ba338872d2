#include "drmclient/kms/udev_monitor.h"

#include <gtest/gtest.h>

using drmclient::concerns_outputs;

namespace {

constexpr const char* card = "/dev/dri/card0";

}  // namespace

TEST(UdevEvents, HotplugOfCardConcernsOutputs) {
  EXPECT_TRUE(concerns_outputs({"change", "/dev/dri/card0", "1"}, card));
}

TEST(UdevEvents, DevnameWithoutFolderConcernsOutputs) {
  EXPECT_TRUE(concerns_outputs({"change", "dri/card0", "1"}, card));
}

TEST(UdevEvents, ChangeWithoutHotplugIsIgnored) {
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card0", ""}, card));
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card0", "0"}, card));
}

TEST(UdevEvents, RemovalOfCardConcernsOutputs) {
  EXPECT_TRUE(concerns_outputs({"remove", "/dev/dri/card0", ""}, card));
}

TEST(UdevEvents, AdditionOfCardConcernsOutputs) {
  EXPECT_TRUE(concerns_outputs({"add", "/dev/dri/card0", ""}, card));
}

TEST(UdevEvents, OtherCardsAndConnectorsAreIgnored) {
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card1", "1"}, card));
  EXPECT_FALSE(concerns_outputs({"change", "/dev/dri/card00", "1"}, card));
  EXPECT_FALSE(concerns_outputs({"remove", "", ""}, card));
  EXPECT_FALSE(concerns_outputs({"add", "/dev/dri/card1", ""}, card));
  EXPECT_FALSE(concerns_outputs({"add", "", ""}, card));
}
