// Random system calls of many processes. FBEMU_RANDOM_SECONDS (at most 60, for the time limit of a test)
// makes it longer, FBEMU_SEED repeats a seed. The guest test vm_random_calls has no such limit.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

/// Resources of a process.
struct Resources {
  explicit Resources(pid_t process) {
    const std::string folder = "/proc/" + std::to_string(process);
    using Entries = std::filesystem::directory_iterator;
    for (const auto& entry : Entries(folder + "/task")) {
      ++threads;
      // Threads of a session have a table of descriptors of their own.
      descriptors += std::distance(Entries(entry.path() / "fd"), Entries());
    }
  }
  long threads = 0;
  long descriptors = 0;  ///< of all threads
};

class RandomCalls : public DaemonTest, public testing::WithParamInterface<std::vector<std::string>> {
 protected:
  /// Sets the mode, depth and offset of the start, and unblanks.
  static void reset(const Daemon& daemon) {
    const DeviceFile file(daemon.device());
    fb_var_screeninfo var{};
    var.xres = var.xres_virtual = 640;
    var.yres = var.yres_virtual = 480;
    var.bits_per_pixel = 32;
    var.activate = FB_ACTIVATE_NOW | FB_ACTIVATE_FORCE;
    EXPECT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
  }
};

TEST_P(RandomCalls, LeaveTheDaemonWorking) {
  DaemonOptions options;
  options.arguments = GetParam();
  Daemon& daemon = start(options);
  const pid_t process = daemon.process().id();
  const Ended done = run({RANDOM_CALLS_PATH, variable("FBEMU_RANDOM_SECONDS", "5"), "20",
                          variable("FBEMU_SEED", "0"), daemon.device()},
                         {}, std::chrono::minutes(60));
  EXPECT_EQ(done.exit_status, 0) << done.output << done.errors;
  ASSERT_TRUE(daemon.process().running()) << done.output << daemon.log();
  EXPECT_TRUE(eventually([&] { return daemon.status().at("open_files") == 0; })) << done.output;
  const Resources now(process);
  EXPECT_LE(now.threads, 2 * 65 + 256 + 4) << done.output;
  EXPECT_LE(now.descriptors, 300 * now.threads) << done.output;

  reset(daemon);
  Program program(daemon.device(), open_and_map);
  EXPECT_EQ(program.ask("picture 1"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 1))) << done.output;
}

INSTANTIATE_TEST_SUITE_P(Fuse, RandomCalls,
                         testing::Values(std::vector<std::string>{},
                                         std::vector<std::string>{"--clear-on-close"}),
                         [](const auto& info) { return info.index == 0 ? "Default" : "ClearOnClose"; });

}  // namespace
}  // namespace fuse_test
