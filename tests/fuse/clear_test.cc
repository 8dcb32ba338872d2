// fbemud --clear-on-close: the next program does not see the pixels of the last one.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr size_t memory_bytes = 640UL * 480 * 4 * 2;

class ClearTest : public DaemonTest {
 protected:
  Daemon& start_clearing(const std::vector<std::string>& more = {}) {
    DaemonOptions options;
    options.arguments = {"--clear-on-close"};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    return start(options);
  }
  /// Waits until the daemon has received the last close, which close(2) and exit do not wait for.
  static void wait_until_closed(const Daemon& daemon) {
    EXPECT_TRUE(eventually([&] { return daemon.status().at("open_files") == 0; }));
  }
  /// Returns true if the device has only zeros, for read(2) and in a mapping.
  static bool is_clear(const Daemon& daemon) {
    const DeviceFile file(daemon.device());
    std::string bytes(memory_bytes, 'x');
    EXPECT_EQ(::pread(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    const DeviceMap map(file);
    const auto* mapped = static_cast<const char*>(map.address());
    const auto is_zero = [](char byte) { return byte == 0; };
    return std::ranges::all_of(bytes, is_zero) && std::all_of(mapped, mapped + map.bytes(), is_zero);
  }
};

TEST_F(ClearTest, MappedPictureOfEndedProgramIsZero) {
  Daemon& daemon = start_clearing();
  for (int i = 1; i <= 5; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(
        run({FBPROGRAM_PATH, daemon.device(), "open rw", "map rw smem", "picture " + number}).exit_status, 0);
    wait_until_closed(daemon);
    EXPECT_TRUE(is_clear(daemon));
    wait_until_closed(daemon);
  }
  EXPECT_TRUE(same(daemon.screenshot(), black_picture(640, 480)));
}

TEST_F(ClearTest, WrittenPictureIsZero) {
  Daemon& daemon = start_clearing();
  write_file(file("picture"), bytes_of(drawn_picture(640, 480, 9)));
  EXPECT_EQ(run({"sh", "-c", "cat " + file("picture") + " > " + daemon.device()}).exit_status, 0);
  wait_until_closed(daemon);
  EXPECT_TRUE(is_clear(daemon));
}

TEST_F(ClearTest, MappingKeepsThePictureAfterCloseUntilItsProgramEnds) {
  Daemon& daemon = start_clearing();
  Program program(daemon.device(), {"open rw", "map rw smem", "picture 3", "close"});
  EXPECT_EQ(run({FBPROGRAM_PATH, daemon.device(), "open ro", "map r smem", "check 3"}).exit_status, 0)
      << "a program that has it open meanwhile shares the memory";
  EXPECT_EQ(program.ask("check 3"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 3)));
  ASSERT_TRUE(program.kill());
  wait_until_closed(daemon);
  EXPECT_TRUE(is_clear(daemon));
}

TEST_F(ClearTest, PictureOfKilledProgramInHotModeIsZero) {
  Daemon& daemon = start_clearing();
  Program program(daemon.device(), {"open rw", "map rw smem"});
  ASSERT_EQ(program.ask("animate 1"), "ok drawing");
  ASSERT_TRUE(eventually([&] { return daemon.tracker() == "hot"; }));
  ASSERT_TRUE(program.kill());
  wait_until_closed(daemon);
  EXPECT_TRUE(is_clear(daemon));
  EXPECT_TRUE(same(daemon.screenshot(), black_picture(640, 480)));
}

TEST_F(ClearTest, EvictedPagesAreZeroInTheStoreToo) {
  Daemon& daemon = start_clearing();
  Program program(daemon.device(), {"open rw", "map rw smem", "picture 4"});
  ASSERT_TRUE(program.kill());
  wait_until_closed(daemon);
  {
    const DeviceFile file(daemon.device());
    ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  }
  EXPECT_TRUE(is_clear(daemon));
}

TEST_F(ClearTest, OpensAtTheMomentOfTheClearSucceed) {
  Daemon& daemon = start_clearing();
  std::vector<std::jthread> programs;
  std::atomic<int> failed{0};
  for (int i = 0; i < 8; ++i) {
    programs.emplace_back([&] {
      for (int j = 0; j < 40; ++j) {
        const int file = ::open(daemon.device().c_str(), O_RDWR | O_CLOEXEC);
        failed += file < 0 || ::pwrite(file, "pixels", 6, 1000) != 6 ? 1 : 0;
        if (file >= 0) ::close(file);
      }
    });
  }
  programs.clear();
  EXPECT_EQ(failed, 0);
  wait_until_closed(daemon);
  EXPECT_TRUE(is_clear(daemon));
}

TEST_F(ClearTest, MemoryIsKeptByDefault) {
  Daemon& daemon = start();
  ASSERT_EQ(run({FBPROGRAM_PATH, daemon.device(), "open rw", "map rw smem", "picture 5"}).exit_status, 0);
  wait_until_closed(daemon);
  EXPECT_EQ(run({FBPROGRAM_PATH, daemon.device(), "open ro", "map r smem", "check 5"}).exit_status, 0);
}

}  // namespace
}  // namespace fuse_test
