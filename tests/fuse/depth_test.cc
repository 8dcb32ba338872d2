// Depths, palettes, rotation and scaling, with real programs and pictures made by ffmpeg.

#include <linux/fb.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr uint32_t width = 640;
constexpr uint32_t height = 480;

class DepthTest : public DaemonTest {
 protected:
  void set_depth(const Daemon& daemon, unsigned depth) {
    const Ended fbset = run({"fbset", "-fb", daemon.device(), "-depth", std::to_string(depth)});
    ASSERT_EQ(fbset.exit_status, 0) << fbset.errors;
  }
  /// Returns the bytes of the test picture in ffmpeg's pixel format.
  std::string picture_as(const std::string& pixel_format) {
    const Ended made =
        run({"ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=1",
             "-frames:v", "1", "-pix_fmt", pixel_format, "-f", "rawvideo", file(pixel_format)});
    EXPECT_EQ(made.exit_status, 0) << made.errors;
    return read_file(file(pixel_format));
  }
  /// Returns the test picture as ffmpeg decodes it from that pixel format.
  Picture decoded(const std::string& pixel_format) {
    const Ended made =
        run({"ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", pixel_format, "-s",
             "640x480", "-i", file(pixel_format), "-pix_fmt", "bgra", "-f", "rawvideo", file("decoded")});
    EXPECT_EQ(made.exit_status, 0) << made.errors;
    return picture_of(read_file(file("decoded")), width, height);
  }
  void show(const Daemon& daemon, const std::string& bytes) {
    const DeviceFile device(daemon.device());
    ASSERT_EQ(::pwrite(device.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
};

/// Compares pictures and allows a difference of `most` in each channel, because there are two correct ways to
/// widen five bits to eight.
testing::AssertionResult nearly_same(const Picture& is, const Picture& expected, int most) {
  if (is.width != expected.width || is.height != expected.height)
    return testing::AssertionFailure() << "sizes";
  for (size_t i = 0; i < is.pixels.size(); ++i) {
    for (const unsigned shift : {0U, 8U, 16U}) {
      const int a = static_cast<int>(is.pixels[i] >> shift & 0xffU);
      const int b = static_cast<int>(expected.pixels[i] >> shift & 0xffU);
      if (std::abs(a - b) > most) {
        return testing::AssertionFailure()
               << "pixel " << i << ": " << std::hex << is.pixels[i] << " and " << expected.pixels[i];
      }
    }
  }
  return testing::AssertionSuccess();
}

#define SKIP_WITHOUT(program) \
  if (!is_installed(program)) GTEST_SKIP() << "this test needs the program " << (program)

TEST_F(DepthTest, FbsetChangesDepth) {
  SKIP_WITHOUT("fbset");
  SKIP_WITHOUT("ffmpeg");
  Daemon& daemon = start();
  for (const auto& [depth, pixel_format] : std::vector<std::pair<unsigned, std::string>>{
           {24, "bgr24"}, {16, "rgb565le"}, {15, "rgb555le"}, {32, "bgra"}}) {
    set_depth(daemon, depth);
    show(daemon, picture_as(pixel_format));
    EXPECT_TRUE(nearly_same(daemon.screenshot(), decoded(pixel_format), depth < 24 ? 7 : 0)) << depth;
  }
}

TEST_F(DepthTest, ProgramDrawsAtInitialDepth) {
  SKIP_WITHOUT("ffmpeg");
  Daemon& daemon = start({.arguments = {"--depth", "16"}});
  const std::string picture = picture_as("rgb565le");
  const Ended drawn =
      run({"ffmpeg", "-v", "error", "-nostdin", "-f", "rawvideo", "-pix_fmt", "rgb565le", "-s", "640x480",
           "-i", file("rgb565le"), "-frames:v", "1", "-f", "fbdev", daemon.device()});
  EXPECT_EQ(drawn.exit_status, 0) << drawn.errors;
  EXPECT_TRUE(nearly_same(daemon.screenshot(), decoded("rgb565le"), 7));
}

TEST_F(DepthTest, NewPaletteRecoloursScreen) {
  Daemon& daemon = start({.arguments = {"--depth", "8"}});
  const DeviceFile device(daemon.device());
  EXPECT_EQ(device.fix().visual, static_cast<uint32_t>(FB_VISUAL_PSEUDOCOLOR));
  EXPECT_EQ(device.fix().line_length, width);
  std::string bytes(size_t{width} * height, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  ASSERT_EQ(::pwrite(device.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  std::array<std::vector<uint16_t>, 3> colors;
  for (uint32_t turn = 0; turn < 4; ++turn) {
    for (auto& channel : colors) channel.assign(256, 0);
    for (uint32_t i = 0; i < 256; ++i) {
      colors[0][i] = static_cast<uint16_t>(((i + turn) & 0xffU) * 257U);
      colors[1][i] = static_cast<uint16_t>(((i * 3 + turn) & 0xffU) * 257U);
      colors[2][i] = static_cast<uint16_t>((255 - i) * 257U);
    }
    fb_cmap map{0, 256, colors[0].data(), colors[1].data(), colors[2].data(), nullptr};
    ASSERT_EQ(device.ioctl(FBIOPUTCMAP, &map), 0);
    uint32_t ignored = 0;
    ASSERT_EQ(device.ioctl(FBIO_WAITFORVSYNC, &ignored), 0);
    Picture expected{width, height, {}};
    for (size_t i = 0; i < bytes.size(); ++i) {
      const auto index = static_cast<uint32_t>(i % 251);
      expected.pixels.push_back(((index + turn) & 0xffU) << 16 | ((index * 3 + turn) & 0xffU) << 8 |
                                (255 - index));
    }
    EXPECT_TRUE(same(daemon.screenshot(), expected)) << turn;
  }
}

TEST_F(DepthTest, MappingStaysValidAfterChangeOfDepth) {
  Daemon& daemon = start();
  const DeviceFile device(daemon.device());
  const DeviceMap map(device);
  fb_var_screeninfo var = device.var();
  var.bits_per_pixel = 16;
  ASSERT_EQ(device.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
  EXPECT_EQ(var.green.length, 6U);
  map[0] = 0xf800'07e0;  // two pixels: green, then red
  EXPECT_EQ(daemon.screenshot().at(0, 0), 0x00ff00U);
  EXPECT_EQ(daemon.screenshot().at(1, 0), 0xff0000U);
}

TEST_F(DepthTest, RotateOptionIsTransparentToProgram) {
  Daemon& daemon = start({.arguments = {"--rotate", "90"}});
  const DeviceFile device(daemon.device());
  EXPECT_EQ(device.var().xres, 480U);
  EXPECT_EQ(device.var().yres, 640U);
  const DeviceMap map(device);
  map[0] = 0x123456;              // top left
  map[480 * 640 - 1] = 0x789abc;  // bottom right
  const Picture screen = daemon.screenshot();
  EXPECT_EQ(screen.width, width);
  EXPECT_EQ(screen.at(639, 0), 0x123456U);
  EXPECT_EQ(screen.at(0, 479), 0x789abcU);
}

TEST_F(DepthTest, InvalidValueIsNamedInUsageError) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--depth", "12"},
                                                                     {"--rotate", "45"},
                                                                     {"--scale", "big"},
                                                                     {"--visual", "grey"},
                                                                     {"--memory", "much"}}) {
    std::vector<std::string> words{FBEMUD_PATH, "--card", "headless:64x64", "--device", file("fb")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Ended ended = run(words);
    EXPECT_EQ(ended.exit_status, 2);
    EXPECT_NE(ended.errors.find(arguments[0]), std::string::npos) << ended.errors;
    EXPECT_NE(ended.errors.find(arguments[1]), std::string::npos) << ended.errors;
  }
}

}  // namespace
}  // namespace fuse_test
