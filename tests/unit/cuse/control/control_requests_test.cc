#include "cuse/control/control_requests.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "cuse/sleep/program_freezer.h"
#include "tests/support/framebuffer_fixture.h"

using nlohmann::json;

namespace {

class ControlRequestsTest : public unit::FramebufferFixture {
 protected:
  [[nodiscard]] cuse::ControlReply answer(const std::string& command) {
    return cuse::ControlRequests(identity, *framebuffer, freezer).answer(command);
  }

  cuse::ProgramFreezer freezer{{}};
  const cuse::DaemonIdentity identity{"/dev/fb0", "headless", 4242, 4243};
};

TEST_F(ControlRequestsTest, StatusIsAnsweredWithTheStatusReport) {
  start();
  const auto reply = answer("status");
  EXPECT_EQ(reply.body["process"], 4242);
  EXPECT_EQ(reply.body, cuse::status_report(identity, *framebuffer));
  EXPECT_FALSE(reply.descriptor);
}

TEST_F(ControlRequestsTest, StatsIsAnsweredWithTheCounters) {
  start();
  static_cast<void>(get_var());
  const auto reply = answer("stats");
  EXPECT_EQ(reply.body["ioctls"], 1);
  EXPECT_TRUE(reply.body.contains("mappings"));
  EXPECT_FALSE(reply.descriptor);
}

TEST_F(ControlRequestsTest, ModesIsAnsweredWithTheModesOfTheOutput) {
  start();
  const auto reply = answer("modes");
  EXPECT_EQ(reply.body["modes"].size(), 1U);
  EXPECT_EQ(reply.body, cuse::modes_report(*framebuffer));
  EXPECT_FALSE(reply.descriptor);
}

TEST_F(ControlRequestsTest, ScreenshotIsAnsweredWithSizeAndPixels) {
  start();
  write_pixel(3, 2, 0x123456);
  const auto reply = answer("screenshot");
  EXPECT_EQ(reply.body, (json{{"width", 64}, {"height", 48}, {"format", "XR24"}}));
  EXPECT_EQ(::lseek(reply.descriptor.get(), 0, SEEK_END), 64 * 48 * 4);
  uint32_t pixel = 0;
  ASSERT_EQ(::pread(reply.descriptor.get(), &pixel, sizeof pixel, (2 * 64 + 3) * 4), 4);
  EXPECT_EQ(pixel & 0xffffffU, 0x123456U);
}

TEST_F(ControlRequestsTest, UnknownCommandIsRefused) {
  start();
  for (const std::string command : {"reboot", "", "Status", "status "}) {
    const auto reply = answer(command);
    EXPECT_EQ(reply.body, (json{{"error", "unknown command \"" + command + "\""}}));
    EXPECT_FALSE(reply.descriptor);
  }
}

TEST_F(ControlRequestsTest, ScreenshotOfTheConsoleIsRefused) {
  build();
  card->share();
  framebuffer->start(&*pages);
  const auto reply = answer("screenshot");
  EXPECT_EQ(reply.body, (json{{"error",
                               "no program has the framebuffer open for writing, so the screen shows the "
                               "kernel's console and not the framebuffer"}}));
  EXPECT_FALSE(reply.descriptor);
}

TEST_F(ControlRequestsTest, FailedCaptureIsRefusedWithItsError) {
  start();
  stop();
  EXPECT_EQ(
      answer("screenshot").body,
      (json{{"error", "cannot read what the output shows: Cannot send after transport endpoint shutdown"}}));
}

TEST_F(ControlRequestsTest, ScreenshotWithoutAFreeDescriptorIsRefused) {
  start();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto reply = answer("screenshot");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(reply.body, (json{{"error", "cannot make memory for a screenshot: Too many open files"}}));
  EXPECT_FALSE(reply.descriptor);
}

}  // namespace
