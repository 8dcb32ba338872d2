// The last picture of a program reaches the screen, whatever ends the program and at any time.

#include <sys/mman.h>

#include <random>
#include <thread>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr uint32_t width = 320;
constexpr uint32_t height = 240;
const DaemonOptions small{.card = "headless:320x240"};

class LastFrameTest : public DaemonTest {
 protected:
  /// Waits until a random point of a frame.
  void wait_random_time() {
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::uniform_int_distribution<>(0, 40'000)(random_)));
  }
  /// Returns the visible memory, as a program reads it.
  static Picture memory(const Daemon& daemon) {
    const DeviceFile file(daemon.device(), O_RDONLY);
    std::string bytes(size_t{width} * height * 4, '\0');
    EXPECT_EQ(::pread(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return picture_of(bytes, width, height);
  }

 private:
  std::mt19937 random_{20180501};
};

TEST_F(LastFrameTest, PictureStaysAfterExitWithoutMunmap) {
  Daemon& daemon = start(small);
  for (uint32_t i = 0; i < 40; ++i) {
    Program program(daemon.device(), open_and_map);
    wait_random_time();
    program.send("picture " + std::to_string(i) + "\nexit 0");
    ASSERT_TRUE(program.process().wait());
    ASSERT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, i))) << "round " << i;
  }
}

TEST_F(LastFrameTest, PictureStaysAfterKillRightAfterDrawing) {
  Daemon& daemon = start(small);
  for (uint32_t i = 0; i < 40; ++i) {
    Program program(daemon.device(), open_and_map);
    ASSERT_EQ(program.ask("picture " + std::to_string(i + 1)), "ok");
    if (i % 2 == 0) wait_random_time();
    const uint32_t last = i % 4 == 0 ? i : i + 1;
    ASSERT_EQ(program.ask("picture " + std::to_string(last)), "ok");
    ASSERT_TRUE(program.kill());
    ASSERT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, last))) << "round " << i;
  }
}

TEST_F(LastFrameTest, ScreenMatchesMemoryAfterKillWhileDrawing) {
  Daemon& daemon = start(small);
  for (uint32_t i = 0; i < 40; ++i) {
    Program program(daemon.device(), open_and_map);
    ASSERT_EQ(program.ask("animate " + std::to_string(i)), "ok drawing");
    wait_random_time();
    ASSERT_TRUE(program.kill());
    ASSERT_TRUE(same(daemon.screenshot(), memory(daemon))) << "round " << i;
  }
}

TEST_F(LastFrameTest, PictureStaysAfterExitWhileHot) {
  Daemon& daemon = start({.card = "headless:640x480"});
  for (uint32_t i = 0; i < 5; ++i) {
    Program program(daemon.device(), open_and_map);
    ASSERT_EQ(program.ask("animate " + std::to_string(i)), "ok drawing");
    ASSERT_TRUE(eventually([&] { return daemon.tracker() == "hot"; }));
    program.send("picture " + std::to_string(100 + i) + "\nexit 0");
    ASSERT_TRUE(program.process().wait());
    ASSERT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 100 + i))) << "round " << i;
  }
}

TEST_F(LastFrameTest, LinesOfManyShortProgramsStay) {
  // Each program draws a few lines of its own; no line may be missing.
  Daemon& daemon = start(small);
  for (uint32_t line = 0; line < height; line += 4) {
    const Ended ended = run({FBPROGRAM_PATH, daemon.device(), "open rw", "map rw smem",
                             "picture 1 " + std::to_string(line) + " 4", "exit 0"});
    ASSERT_EQ(ended.exit_status, 0) << ended.output;
  }
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 1)));
}

TEST_F(LastFrameTest, WriteStaysAfterKill) {
  Daemon& daemon = start(small);
  for (uint32_t i = 1; i <= 20; ++i) {
    Program program(daemon.device(), {"open wo"});
    ASSERT_EQ(program.ask("write 0 307200 " + std::to_string(i)), "ok 307200");
    ASSERT_TRUE(program.kill());
    ASSERT_EQ(daemon.screenshot().pixels, std::vector<uint32_t>(size_t{width} * height, 0x010101 * i));
  }
}

}  // namespace
}  // namespace fuse_test
