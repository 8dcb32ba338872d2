#include "cuse/control/reports.h"

#include <gtest/gtest.h>

#include "tests/support/framebuffer_fixture.h"

using nlohmann::json;

namespace {

class Reports : public unit::FramebufferFixture {
 protected:
  [[nodiscard]] json status() const {
    return cuse::status_report({"/dev/fb0", "headless", 4242, 4243}, *framebuffer);
  }
};

}  // namespace

TEST_F(Reports, StatusHasDeviceAndProcesses) {
  start();
  const json report = status();
  EXPECT_EQ(report["device"], "/dev/fb0");
  EXPECT_EQ(report["id"], "fbemu headless");
  EXPECT_EQ(report["process"], 4242);
  EXPECT_EQ(report["guard_process"], 4243);
  EXPECT_EQ(report["card"], "headless");
  EXPECT_EQ(report["version"], FBEMU_VERSION);
  EXPECT_EQ(report["output"],
            (json{{"name", "Virtual-1"}, {"connected", true}, {"size_mm", {{"width", 16}, {"height", 12}}}}));
}

TEST_F(Reports, StatusHasTheCuseDeviceOrTheReasonWithoutIt) {
  start();
  const json without =
      cuse::status_report({"/dev/fb0", "headless", 4242, 4243, "", "no /dev/cuse"}, *framebuffer);
  EXPECT_EQ(without["cuse_device"], nullptr);
  EXPECT_EQ(without["cuse_device_missing"], "no /dev/cuse");
  const json with = cuse::status_report({"/dev/fb0", "headless", 4242, 4243, "29:0", "none"}, *framebuffer);
  EXPECT_EQ(with["cuse_device"], "29:0");
  EXPECT_EQ(with["cuse_device_missing"], nullptr);
}

TEST_F(Reports, StatusHasTheGeometry) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96, var.yoffset = 10; }), 0);
  const json report = status();
  EXPECT_EQ(report["visible"], (json{{"width", 64}, {"height", 48}}));
  EXPECT_EQ(report["virtual"], (json{{"width", 64}, {"height", 96}}));
  EXPECT_EQ(report["offset"], (json{{"x", 0}, {"y", 10}}));
  EXPECT_EQ(report["bits_per_pixel"], 32);
  EXPECT_EQ(report["line_length"], 256);
  EXPECT_EQ(report["memory_bytes"], 24'576);
  EXPECT_EQ(report["mode"]["name"], "64x48");
  EXPECT_EQ(report["scanout_format"], "XR24");
}

TEST_F(Reports, StatusHasBlankLevelOpenFilesAndTracker) {
  start();
  EXPECT_EQ(status()["tracker"], "idle");
  ASSERT_TRUE(framebuffer->open(false));
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_EQ(call(FBIOBLANK, 4), 0);
  const json report = status();
  EXPECT_EQ(report["blank_level"], 4);
  EXPECT_EQ(report["open_files"], 2);
  EXPECT_EQ(report["open_writers"], 1);
  EXPECT_EQ(report["tracker"], "tracked");
  EXPECT_EQ(report["error"], nullptr);
}

TEST_F(Reports, StatusHasTheErrorOfAFailedPresent) {
  start();
  card->refuse_presents = EBUSY;
  write_pixel(1, 1, 1);
  EXPECT_TRUE(unit::eventually([&] { return status()["error"] == "Device or resource busy"; }));
}

TEST_F(Reports, StatisticsHaveTheMappings) {
  start();
  const auto mappings = [&] { return cuse::statistics_report(*framebuffer).at("mappings"); };
  const json before = mappings();
  EXPECT_EQ(before.at("limit_bytes"), 256 * 1024 * 1024);
  EXPECT_EQ(before.at("dumb").at("misses"), 1);
  EXPECT_EQ(before.at("dumb").at("mapped_bytes"), 64 * 4 * 48);
  for (const char* kind : {"dumb", "dmabuf", "shadow"}) {
    for (const char* name : {"hits", "misses", "remaps", "mapped_bytes", "uploaded_bytes",
                             "released_for_limit", "released_for_pressure", "released_on_hint"}) {
      EXPECT_TRUE(before.at(kind).at(name).is_number_unsigned()) << kind << ' ' << name;
    }
  }
  write_pixel(1, 1, 1);
  EXPECT_TRUE(
      unit::eventually([&] { return mappings().at("dumb").at("hits") > before.at("dumb").at("hits"); }));
}

TEST_F(Reports, StatisticsHaveTheCounters) {
  start();
  static_cast<void>(get_var());
  write_pixel(1, 1, 1);
  static_cast<void>(framebuffer->capture());
  const json report = cuse::statistics_report(*framebuffer);
  EXPECT_EQ(report["ioctls"], 1);
  EXPECT_EQ(report["writes"], 1);
  EXPECT_EQ(report["changed_bytes"], 4);
  EXPECT_EQ(report["tracked_bytes"], 4);
  EXPECT_EQ(report["uploaded_to_changed"], 1.0);
  EXPECT_EQ(report["mode_sets"], 1);
  for (const char* name : {"reads", "write_backs", "ticks", "hot_ticks", "hot_periods", "uploaded_rects",
                           "uploaded_bytes", "presents", "failed_presents", "tracker"}) {
    EXPECT_TRUE(report.contains(name)) << name;
  }
}

TEST_F(Reports, StatisticsWithoutChangesHaveNoRatio) {
  start();
  EXPECT_EQ(cuse::statistics_report(*framebuffer)["uploaded_to_changed"], nullptr);
}

TEST_F(Reports, ModesHaveTheModesOfTheOutput) {
  start();
  const json report = cuse::modes_report(*framebuffer);
  EXPECT_EQ(report["output"], "Virtual-1");
  ASSERT_EQ(report["modes"].size(), 1U);
  EXPECT_EQ(report["modes"][0]["width"], 64);
  EXPECT_EQ(report["modes"][0]["preferred"], true);
  EXPECT_EQ(report["custom_modes_up_to"], (json{{"width", 8192}, {"height", 8192}}));
}

TEST_F(Reports, ModesOfAnOutputWithoutCustomModesHaveNoLimit) {
  start();
  card->no_custom_modes = true;
  card->plug(false);
  ASSERT_TRUE(unit::eventually([&] { return !framebuffer->status().presenter.output.connected; }));
  const json report = cuse::modes_report(*framebuffer);
  EXPECT_EQ(report["custom_modes_up_to"], nullptr);
  EXPECT_EQ(report["modes"], json::array());
}
