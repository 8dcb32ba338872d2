// Unmodified programs of the distribution.

#include <sys/stat.h>

#include "daemon.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr uint32_t width = 640;
constexpr uint32_t height = 480;

#define SKIP_WITHOUT(program) \
  if (!is_installed(program)) GTEST_SKIP() << "this test needs the program " << (program)

/// Returns the command for ffmpeg's test picture; `output` names its format and file.
std::vector<std::string> test_picture(const std::vector<std::string>& output) {
  std::vector<std::string> words{
      "ffmpeg",    "-v", "error",    "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=1",
      "-frames:v", "1",  "-pix_fmt", "bgra",     "-f"};
  words.insert(words.end(), output.begin(), output.end());
  return words;
}

class ProgramsTest : public DaemonTest {
 protected:
  /// Draws the test picture with ffmpeg's fbdev output, and returns it.
  Picture draw_test_picture(const Daemon& daemon) {
    const Ended source = run(test_picture({"rawvideo", file("source.raw")}));
    EXPECT_EQ(source.exit_status, 0) << source.errors;
    const Ended drawn = run(test_picture({"fbdev", daemon.device()}));
    EXPECT_EQ(drawn.exit_status, 0) << drawn.errors;
    return picture_of(read_file(file("source.raw")), width, height);
  }
};

TEST_F(ProgramsTest, FbsetShowsGeometry) {
  SKIP_WITHOUT("fbset");
  Daemon& daemon = start({.card = "headless:1024x768@60"});
  const Ended fbset = run({"fbset", "-fb", daemon.device(), "-i"});
  EXPECT_EQ(fbset.exit_status, 0) << fbset.errors;
  for (const char* line :
       {"\nmode \"1024x768-60\"\n", "    geometry 1024 768 1024 768 32\n", "    rgba 8/16,8/8,8/0,0/0\n",
        "    Name        : fbemu headless\n", "    Address     : 0\n", "    Size        : 6291456\n",
        "    Type        : PACKED PIXELS\n", "    Visual      : TRUECOLOR\n", "    XPanStep    : 1\n",
        "    YPanStep    : 1\n", "    YWrapStep   : 1\n", "    LineLength  : 4096\n",
        "    Accelerator : No\n"}) {
    EXPECT_NE(fbset.output.find(line), std::string::npos) << line << "is missing in" << fbset.output;
  }
}

TEST_F(ProgramsTest, FbsetSetsMode) {
  SKIP_WITHOUT("fbset");
  Daemon& daemon = start();
  const Ended set = run(
      {"fbset", "-fb", daemon.device(), "-xres", "320", "-yres", "240", "-vxres", "320", "-vyres", "240"});
  EXPECT_EQ(set.exit_status, 0) << set.errors;
  EXPECT_EQ(daemon.status().at("visible"), (nlohmann::json{{"width", 320}, {"height", 240}}));
  EXPECT_EQ(daemon.screenshot().width, 320U);
  Program program(daemon.device(), open_and_map);
  EXPECT_EQ(program.ask("picture 1"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(320, 240, 1)));
}

TEST_F(ProgramsTest, ScreenshotShowsPictureOfFfmpeg) {
  SKIP_WITHOUT("ffmpeg");
  Daemon& daemon = start();
  const Picture source = draw_test_picture(daemon);
  const std::string png = file("screenshot.png");
  const Ended screenshot = run({FBEMUCTL_PATH, "--control", daemon.control(), "screenshot", png});
  EXPECT_EQ(screenshot.exit_status, 0) << screenshot.errors;
  EXPECT_TRUE(same(read_png(png), source));
}

TEST_F(ProgramsTest, FfmpegReadsPicture) {
  SKIP_WITHOUT("ffmpeg");
  Daemon& daemon = start();
  const Picture source = draw_test_picture(daemon);
  const std::string raw = file("read.raw");
  const Ended reading =
      run({"ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "fbdev", "-framerate", "10", "-i",
           daemon.device(), "-frames:v", "1", "-pix_fmt", "bgra", "-f", "rawvideo", raw});
  EXPECT_EQ(reading.exit_status, 0) << reading.errors;
  EXPECT_TRUE(same(picture_of(read_file(raw), width, height), source));
}

TEST_F(ProgramsTest, FbcatReadsPicture) {
  SKIP_WITHOUT("ffmpeg");
  SKIP_WITHOUT("fbcat");
  Daemon& daemon = start();
  const Picture source = draw_test_picture(daemon);
  const Ended fbcat = run({"fbcat", daemon.device()});
  EXPECT_EQ(fbcat.exit_status, 0) << fbcat.errors;
  EXPECT_TRUE(same(parse_ppm(fbcat.output), source));
}

TEST_F(ProgramsTest, LastFrameOfFfmpegStays) {
  SKIP_WITHOUT("ffmpeg");
  Daemon& daemon = start();
  const std::string video = "testsrc2=size=640x480:rate=30";
  const Ended source =
      run({"ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", video, "-vf", "select=eq(n\\,44)",
           "-frames:v", "1", "-pix_fmt", "bgra", "-f", "rawvideo", file("last.raw")});
  ASSERT_EQ(source.exit_status, 0) << source.errors;
  const Ended played = run({"ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", video,
                            "-frames:v", "45", "-pix_fmt", "bgra", "-f", "fbdev", daemon.device()});
  EXPECT_EQ(played.exit_status, 0) << played.errors;
  EXPECT_TRUE(same(daemon.screenshot(), picture_of(read_file(file("last.raw")), width, height)));
}

class ShellTest : public DaemonTest {
 protected:
  Ended shell(const std::string& line) { return run({"sh", "-c", line}); }
};

TEST_F(ShellTest, CatToDeviceShowsPicture) {
  Daemon& daemon = start();
  const Picture picture = drawn_picture(width, height, 9);
  write_file(file("picture"), bytes_of(picture));
  const Ended cat = shell("cat " + file("picture") + " > " + daemon.device());
  EXPECT_EQ(cat.exit_status, 0) << cat.errors;
  EXPECT_TRUE(same(daemon.screenshot(), picture));
  const Ended back = shell("cat " + daemon.device());
  EXPECT_EQ(back.output.size(), width * height * 4 * 2);
  EXPECT_TRUE(same(picture_of(back.output, width, height), picture));
}

TEST_F(ShellTest, RedirectionKeepsSizeAndPixels) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 3"), "ok");
  write_file(file("top"), bytes_of(drawn_picture(width, 100, 5)));
  const Ended cat = shell("cat " + file("top") + " > " + daemon.device());
  EXPECT_EQ(cat.exit_status, 0) << cat.errors;
  struct stat status {};
  ASSERT_EQ(::stat(daemon.device().c_str(), &status), 0);
  EXPECT_EQ(status.st_size, width * height * 4 * 2);
  EXPECT_EQ(program.ask("check 5 0 100"), "ok");
  EXPECT_EQ(program.ask("check 3 100 380"), "ok");
  EXPECT_EQ(program.ask("picture 6 200 100"), "ok") << "the mapping is still valid";
  const Picture screen = daemon.screenshot();
  EXPECT_EQ(screen.at(0, 99), drawn_pixel(0, 99, 5));
  EXPECT_EQ(screen.at(0, 100), drawn_pixel(0, 100, 3));
  EXPECT_EQ(screen.at(0, 250), drawn_pixel(0, 250, 6));
}

TEST_F(ShellTest, CatBeyondEndFailsWithEnospc) {
  Daemon& daemon = start();
  const Ended cat = shell("cat /dev/zero > " + daemon.device());
  EXPECT_EQ(cat.exit_status, 1);
  EXPECT_NE(cat.errors.find("No space left on device"), std::string::npos) << cat.errors;
}

TEST_F(ShellTest, DdTransfersAtOffset) {
  Daemon& daemon = start();
  write_file(file("picture"), bytes_of(drawn_picture(width, height, 2)));
  const Ended written = shell("dd if=" + file("picture") + " of=" + daemon.device() +
                              " bs=2560 skip=10 seek=10 count=5 conv=notrunc");
  EXPECT_EQ(written.exit_status, 0) << written.errors;
  Picture expected = black_picture(width, height);
  for (uint32_t y = 10; y < 15; ++y) {
    for (uint32_t x = 0; x < width; ++x) expected.pixels[y * width + x] = drawn_pixel(x, y, 2);
  }
  EXPECT_TRUE(same(daemon.screenshot(), expected));
  const Ended back = shell("dd if=" + daemon.device() + " bs=2560 skip=12 count=1");
  EXPECT_TRUE(same(picture_of(back.output, width, 1), drawn_picture(width, 1, 2, 12)));
}

TEST_F(ShellTest, DdWithTruncateAtOffsetSucceeds) {
  // Without conv=notrunc dd calls ftruncate() at the offset. That also fails on a device, but there dd
  // ignores the error.
  Daemon& daemon = start();
  write_file(file("picture"), bytes_of(drawn_picture(width, height, 2)));
  const Ended written =
      shell("dd if=" + file("picture") + " of=" + daemon.device() + " bs=2560 skip=470 seek=470 count=10");
  EXPECT_EQ(written.exit_status, 0) << written.errors;
  EXPECT_EQ(daemon.screenshot().at(7, 475), drawn_pixel(7, 475, 2));
  struct stat status {};
  ASSERT_EQ(::stat(daemon.device().c_str(), &status), 0);
  EXPECT_EQ(status.st_size, width * height * 4 * 2);
}

TEST_F(ShellTest, DdFillsScreenToEnd) {
  Daemon& daemon = start();
  const Ended written =
      shell("tr '\\0' '\\252' < /dev/zero | dd of=" + daemon.device() + " bs=1M iflag=fullblock");
  EXPECT_EQ(written.exit_status, 1);
  EXPECT_NE(written.errors.find("No space left on device"), std::string::npos) << written.errors;
  EXPECT_EQ(daemon.screenshot().pixels, std::vector<uint32_t>(size_t{width} * height, 0xaaaaaa));
}

}  // namespace
}  // namespace fuse_test
