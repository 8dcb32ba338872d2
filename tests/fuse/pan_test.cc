// Panning between two buffers in one memory.

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr uint32_t width = 640;
constexpr uint32_t height = 480;

class PanTest : public DaemonTest {};

TEST_F(PanTest, OffScreenPixelsAreShownAfterPan) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("virtual 960"), "ok");
  ASSERT_EQ(program.ask("picture 1 0 480"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 1)));
  ASSERT_EQ(program.ask("picture 2 480 480"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 1)));
  ASSERT_EQ(program.ask("pan 0 480"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 2, 480)));
  ASSERT_EQ(program.ask("picture 3 0 480"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 2, 480)));
  ASSERT_EQ(program.ask("pan 0 0"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 3)));
}

TEST_F(PanTest, AnyLineCanBeFirst) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("virtual 960"), "ok");
  ASSERT_EQ(program.ask("picture 4 0 960"), "ok");
  for (const uint32_t line : {1U, 7U, 100U, 479U}) {
    ASSERT_EQ(program.ask("pan 0 " + std::to_string(line)), "ok");
    EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 4, line)));
    EXPECT_EQ(program.ask("var"), "ok 640 480 640 960 0 " + std::to_string(line) + " 32");
  }
}

TEST_F(PanTest, PanBeyondVirtualSizeReturnsEinval) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  EXPECT_EQ(program.ask("pan 0 1"), "error EINVAL");
  ASSERT_EQ(program.ask("virtual 960"), "ok");
  EXPECT_EQ(program.ask("pan 0 481"), "error EINVAL");
  EXPECT_EQ(program.ask("pan 1 0"), "error EINVAL");
  EXPECT_EQ(program.ask("pan 0 4294967295"), "error EINVAL");
  EXPECT_EQ(program.ask("pan 0 480"), "ok");
}

TEST_F(PanTest, YwrapShowsFirstLineBelowLast) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  const DeviceMap map(file);
  fb_var_screeninfo var = file.var();
  var.yres_virtual = 960;
  ASSERT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
  map[640 * 959] = 0x112233;
  map[640 * 3] = 0x445566;
  var.vmode |= FB_VMODE_YWRAP;
  var.yoffset = 900;
  ASSERT_EQ(file.ioctl(FBIOPAN_DISPLAY, &var), 0);
  EXPECT_EQ(daemon.screenshot().at(0, 59), 0x112233U);
  EXPECT_EQ(daemon.screenshot().at(0, 63), 0x445566U);
  map[640 * 5 + 1] = 0x778899;
  EXPECT_EQ(daemon.screenshot().at(1, 65), 0x778899U);
  var.yoffset = 961;
  EXPECT_EQ(file.ioctl(FBIOPAN_DISPLAY, &var), EINVAL);
}

TEST_F(PanTest, EachFlipShowsPictureDrawnBefore) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("virtual 960"), "ok");
  for (uint32_t frame = 0; frame < 30; ++frame) {
    const uint32_t line = frame % 2 * height;
    ASSERT_EQ(program.ask("picture " + std::to_string(frame) + " " + std::to_string(line) + " 480"), "ok");
    ASSERT_EQ(program.ask("pan 0 " + std::to_string(line)), "ok");
    ASSERT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, frame, line))) << "frame " << frame;
  }
}

TEST_F(PanTest, OffScreenWriteIsShownAfterPan) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw", "virtual 960"});
  ASSERT_EQ(program.ask("write 1228800 1228800 0x33"), "ok 1228800");
  EXPECT_TRUE(same(daemon.screenshot(), black_picture(width, height)));
  ASSERT_EQ(program.ask("pan 0 480"), "ok");
  EXPECT_EQ(daemon.screenshot().pixels, std::vector<uint32_t>(size_t{width} * height, 0x333333));
}

}  // namespace
}  // namespace fuse_test
