// The ioctls as a program uses them.

#include <array>
#include <cstring>
#include <vector>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

class IoctlTest : public DaemonTest {};

TEST_F(IoctlTest, GeometryIsThatOfMode) {
  Daemon& daemon = start({.card = "headless:800x600@75"});
  const DeviceFile file(daemon.device(), O_RDONLY);
  const fb_var_screeninfo var = file.var();
  EXPECT_EQ(var.xres, 800U);
  EXPECT_EQ(var.yres, 600U);
  EXPECT_EQ(var.xres_virtual, 800U);
  EXPECT_EQ(var.yres_virtual, 600U);
  EXPECT_EQ(var.bits_per_pixel, 32U);
  EXPECT_EQ(var.red.offset, 16U);
  EXPECT_EQ(var.green.offset, 8U);
  EXPECT_EQ(var.blue.offset, 0U);
  EXPECT_EQ(var.transp.length, 0U);
  const fb_fix_screeninfo fix = file.fix();
  EXPECT_STREQ(fix.id, "fbemu headless");
  EXPECT_EQ(fix.smem_start, 0U);
  EXPECT_EQ(fix.smem_len, 3'842'048U) << "two screens, rounded up to pages";
  EXPECT_EQ(fix.line_length, 3200U);
  EXPECT_EQ(fix.visual, static_cast<uint32_t>(FB_VISUAL_TRUECOLOR));
}

TEST_F(IoctlTest, PutWithActivateTestChangesNothing) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  fb_var_screeninfo var = file.var();
  var.xres = var.xres_virtual = 320;
  var.yres = var.yres_virtual = 200;
  var.activate = FB_ACTIVATE_TEST;
  EXPECT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
  EXPECT_EQ(var.xres, 320U);
  EXPECT_EQ(file.var().xres, 640U);
  EXPECT_EQ(daemon.screenshot().width, 640U);
}

TEST_F(IoctlTest, PutChangesModeAndKeepsMemory) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  const DeviceMap map(file);
  map[0] = 0xff0000;
  fb_var_screeninfo var = file.var();
  var.xres = var.xres_virtual = 400;
  var.yres = var.yres_virtual = 300;
  ASSERT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
  EXPECT_EQ(file.fix().line_length, 1600U);
  EXPECT_EQ(file.fix().smem_len, map.bytes());
  map[400 * 299 + 399] = 0x00ff00;
  const Picture screen = daemon.screenshot();
  EXPECT_EQ(screen.width, 400U);
  EXPECT_EQ(screen.height, 300U);
  EXPECT_EQ(screen.at(0, 0), 0xff0000U);
  EXPECT_EQ(screen.at(399, 299), 0x00ff00U);
}

TEST_F(IoctlTest, InvalidPutReturnsEinvalAndChangesNothing) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  const auto refused = [&](auto change) {
    fb_var_screeninfo var = file.var();
    change(var);
    const fb_var_screeninfo before = var;
    EXPECT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), EINVAL);
    EXPECT_EQ(std::memcmp(&var, &before, sizeof var), 0) << "an error does not change the caller's structure";
  };
  refused([](fb_var_screeninfo& var) { var.xres = 0; });
  refused([](fb_var_screeninfo& var) { var.yres = 7; });
  refused([](fb_var_screeninfo& var) { var.bits_per_pixel = 33; });
  refused([](fb_var_screeninfo& var) { var.yres_virtual = 961; });
  refused([](fb_var_screeninfo& var) { var.xres = var.xres_virtual = 100'000; });
  refused([](fb_var_screeninfo& var) { var.xres_virtual = var.yres_virtual = 0xffff'ffff; });
  refused([](fb_var_screeninfo& var) { var.yoffset = 1; });
  refused([](fb_var_screeninfo& var) { var.nonstd = 1; });
  EXPECT_EQ(file.var().xres, 640U);
  EXPECT_EQ(daemon.screenshot().width, 640U);
}

TEST_F(IoctlTest, PutWorksOnReadOnlyFile) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device(), O_RDONLY);
  fb_var_screeninfo var = file.var();
  var.yres_virtual = 960;
  EXPECT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
  EXPECT_EQ(file.var().yres_virtual, 960U);
}

TEST_F(IoctlTest, VblankCountIncreases) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  fb_vblank first{};
  first.reserved[3] = 1;
  ASSERT_EQ(file.ioctl(FBIOGET_VBLANK, &first), 0);
  EXPECT_EQ(first.flags, static_cast<uint32_t>(FB_VBLANK_HAVE_COUNT));
  EXPECT_EQ(first.reserved[3], 0U) << "all of the structure is written";
  uint32_t ignored = 0;
  ASSERT_EQ(file.ioctl(FBIO_WAITFORVSYNC, &ignored), 0);
  fb_vblank second{};
  ASSERT_EQ(file.ioctl(FBIOGET_VBLANK, &second), 0);
  EXPECT_GT(second.count, first.count);
}

TEST_F(IoctlTest, ConsolesAreOnFramebuffer0IfPathIsNotInDev) {
  Daemon& daemon = start({.device = file("fb7")});
  const DeviceFile device(daemon.device());
  fb_con2fbmap map{1, 99};
  ASSERT_EQ(device.ioctl(FBIOGET_CON2FBMAP, &map), 0);
  EXPECT_EQ(map.framebuffer, 0U);
}

TEST_F(IoctlTest, UnknownNumberReturnsEnotty) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  std::array<uint8_t, 256> memory{};
  constexpr unsigned long omapfb_sync_gfx = 0x4f25;  // mplayer's probe for an OMAP
  for (const unsigned long number : {omapfb_sync_gfx, 0x4603UL, 0x4613UL, 0x4614UL, 0x4615UL, 0x4616UL,
                                     0x4617UL, 0x4618UL, 0x4630UL, 0x46ffUL, 0x5401UL}) {
    EXPECT_EQ(file.ioctl(number, memory.data()), ENOTTY) << std::hex << number;
  }
  EXPECT_EQ(file.var().xres, 640U);
}

TEST_F(IoctlTest, BlankTurnsScreenBlackAndBack) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 1"), "ok");
  for (const char* level : {"1", "2", "3", "4"}) {
    EXPECT_EQ(program.ask(std::string("blank ") + level), "ok");
    EXPECT_EQ(daemon.status().at("blank_level"), std::stoi(level));
  }
  EXPECT_TRUE(same(daemon.screenshot(), black_picture(640, 480)));
  EXPECT_EQ(program.ask("picture 2"), "ok") << "programs can draw while the screen is blank";
  EXPECT_EQ(program.ask("blank 5"), "error EINVAL");
  EXPECT_EQ(program.ask("blank 0"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 2)));
}

/// A colour map of `count` entries.
struct Colors {
  explicit Colors(uint32_t count) : red(count), green(count), blue(count), transp(count) {}
  [[nodiscard]] fb_cmap map(uint32_t first) {
    return {first, static_cast<uint32_t>(red.size()), red.data(), green.data(), blue.data(), transp.data()};
  }
  std::vector<uint16_t> red, green, blue, transp;
};

TEST_F(IoctlTest, ColorMapStartsWithConsoleColors) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  Colors colors(256);
  colors.transp.assign(256, 0x7777);
  fb_cmap map = colors.map(0);
  ASSERT_EQ(file.ioctl(FBIOGETCMAP, &map), 0);
  EXPECT_EQ(colors.red[4], 0xaaaa);
  EXPECT_EQ(colors.red[15], 0xffff);
  EXPECT_EQ(colors.blue[1], 0xaaaa);
  EXPECT_EQ(colors.red[16], 0);
  EXPECT_EQ(colors.transp[0], 0x7777) << "transparency is never written";
}

TEST_F(IoctlTest, SixteenColorsAreStored) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  Colors set(16);
  for (uint16_t i = 0; i < 16; ++i) set.red[i] = set.green[i] = set.blue[i] = static_cast<uint16_t>(i * 1000);
  fb_cmap map = set.map(0);
  ASSERT_EQ(file.ioctl(FBIOPUTCMAP, &map), 0);
  Colors got(16);
  map = got.map(0);
  ASSERT_EQ(file.ioctl(FBIOGETCMAP, &map), 0);
  EXPECT_EQ(got.red, set.red);
  EXPECT_EQ(got.green, set.green);
  EXPECT_EQ(got.blue, set.blue);
}

TEST_F(IoctlTest, InvalidColorMapReturnsError) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  Colors colors(17);
  fb_cmap map = colors.map(240);
  EXPECT_EQ(file.ioctl(FBIOPUTCMAP, &map), EINVAL) << "one entry too many";
  map.len = 0;
  EXPECT_EQ(file.ioctl(FBIOPUTCMAP, &map), EINVAL);
  EXPECT_EQ(file.ioctl(FBIOGETCMAP, &map), EINVAL);
  map.len = 0x4000'0000;
  EXPECT_EQ(file.ioctl(FBIOPUTCMAP, &map), E2BIG);
  map = colors.map(256);
  EXPECT_EQ(file.ioctl(FBIOGETCMAP, &map), EINVAL);
  map = colors.map(250);
  EXPECT_EQ(file.ioctl(FBIOGETCMAP, &map), 0) << "a read beyond the end is not an error";
}

}  // namespace
}  // namespace fuse_test
