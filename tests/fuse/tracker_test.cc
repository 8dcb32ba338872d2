// The tracker. It finds changed pages one by one while little changes. It shows the whole screen while much
// changes, and is idle while no program can change anything.

#include <filesystem>
#include <fstream>
#include <map>

#include "daemon.h"
#include "device_file.h"
#include "private_mounts.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr uint32_t width = 640;
constexpr uint32_t height = 480;

/// A test in a private mount namespace, because a daemon wakes up at each mount in its namespace.
class TrackerTest : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    if (IsSkipped()) return;
    mounts_ = std::make_unique<PrivateMounts>();
    ASSERT_TRUE(mounts_->entered());
  }
  /// Waits for `count` frames of another daemon, which is busy.
  void wait_frames(uint64_t count) {
    if (clock_ == nullptr) {
      clock_ = &start({.device = file("clock"), .card = "headless:64x64@60"});
      painter_ = std::make_unique<Program>(clock_->device(), open_and_map);
    }
    const uint64_t before = clock_->statistic("ticks");
    ASSERT_TRUE(eventually([&] { return clock_->statistic("ticks") >= before + count; }));
  }
  void TearDown() override {
    painter_.reset();
    end_daemons();
    mounts_.reset();
    DaemonTest::TearDown();
  }
  static bool becomes(const Daemon& daemon, const std::string& tracker) {
    return eventually([&] { return daemon.tracker() == tracker; });
  }
  /// Returns the voluntary context switches of each thread of a process, by its id and name.
  static std::map<std::string, uint64_t> switches(pid_t process) {
    std::map<std::string, uint64_t> counts;
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      std::ifstream status(task.path() / "status");
      std::string name;
      for (std::string word; status >> word;) {
        if (word == "Name:") status >> name;
        if (word == "voluntary_ctxt_switches:")
          status >> counts[task.path().filename().string() + " " + name];
      }
    }
    return counts;
  }
  /// Waits until no thread of a process wakes up for sixty frames. Returns false at the limit.
  bool comes_to_rest(pid_t process) {
    return eventually([&] {
      const auto before = switches(process);
      wait_frames(60);
      return switches(process) == before;
    });
  }

 private:
  Daemon* clock_ = nullptr;
  std::unique_ptr<Program> painter_;
  std::unique_ptr<PrivateMounts> mounts_;
};

TEST_F(TrackerTest, ContinuousDrawingTurnsHotAndShowsOnlyDrawnPixels) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("animate 1"), "ok drawing");
  ASSERT_TRUE(becomes(daemon, "hot"));
  const Picture one = drawn_picture(width, height, 1);
  const Picture two = drawn_picture(width, height, 2);
  for (int i = 0; i < 20; ++i) {
    const Picture screen = daemon.screenshot();
    size_t foreign = 0;
    for (size_t p = 0; p < screen.pixels.size(); ++p) {
      foreign += screen.pixels[p] != one.pixels[p] && screen.pixels[p] != two.pixels[p];
    }
    ASSERT_EQ(foreign, 0U);
  }
  EXPECT_GE(daemon.statistic("hot_periods"), 1U);
}

TEST_F(TrackerTest, EndOfDrawingShowsLastPictureAndTurnsTracked) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  for (uint32_t round = 1; round <= 3; ++round) {
    ASSERT_EQ(program.ask("animate 7"), "ok drawing");
    ASSERT_TRUE(becomes(daemon, "hot"));
    program.send("picture " + std::to_string(20 + round));
    EXPECT_EQ(program.answer().substr(0, 3), "ok ") << "the number of drawn pictures";
    ASSERT_EQ(program.answer(), "ok");
    EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 20 + round)));
    ASSERT_TRUE(becomes(daemon, "tracked"));
    EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 20 + round)));
  }
}

TEST_F(TrackerTest, SmallDamageAfterHotIsUploadedExactly) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("animate 1"), "ok drawing");
  ASSERT_TRUE(becomes(daemon, "hot"));
  program.send("picture 9");
  EXPECT_EQ(program.answer().substr(0, 3), "ok ");
  ASSERT_EQ(program.answer(), "ok");
  ASSERT_TRUE(becomes(daemon, "tracked"));
  Picture expected = drawn_picture(width, height, 9);
  ASSERT_TRUE(same(daemon.screenshot(), expected));
  wait_frames(3);

  const uint64_t before = daemon.statistic("uploaded_bytes");
  const uint64_t deliveries_before = daemon.statistic("write_backs");
  ASSERT_EQ(program.ask("rect 300 200 1 1 0xffffff"), "ok");
  expected.pixels[200 * width + 300] = 0xffffff;
  EXPECT_TRUE(same(daemon.screenshot(), expected));
  const uint64_t deliveries = daemon.statistic("write_backs") - deliveries_before;
  EXPECT_LE(deliveries, 2U) << "two, if the page was cleaned between the write fault and the store";
  EXPECT_LE(daemon.statistic("uploaded_bytes") - before, deliveries * 3U * width * 4)
      << "the maximum number of lines in a page";
}

TEST_F(TrackerTest, SlowPartIsShownWhileRestIsHot) {
  Daemon& daemon = start();
  Program still(daemon.device(), open_and_map);
  Program busy(daemon.device(), open_and_map);
  ASSERT_EQ(still.ask("picture 3"), "ok");
  ASSERT_EQ(busy.ask("animate 5 240 240"), "ok drawing");
  ASSERT_TRUE(becomes(daemon, "hot"));
  for (uint32_t round = 0; round < 10; ++round) {
    ASSERT_EQ(still.ask("picture " + std::to_string(round) + " 0 240"), "ok");
    const Picture screen = daemon.screenshot();
    const Picture top = {width, 240, {screen.pixels.begin(), screen.pixels.begin() + width * 240}};
    EXPECT_TRUE(same(top, drawn_picture(width, 240, round)));
  }
}

TEST_F(TrackerTest, SmallChangeIsShownWithoutRequest) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  wait_frames(3);
  const uint64_t before = daemon.statistic("presents");
  ASSERT_EQ(program.ask("rect 10 10 5 5 0xff"), "ok");
  EXPECT_TRUE(eventually([&] { return daemon.statistic("presents") > before; }));
  EXPECT_EQ(daemon.tracker(), "tracked");
}

TEST_F(TrackerTest, IdleProgramCausesNoUploads) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 1 0 10"), "ok");
  EXPECT_EQ(daemon.screenshot().at(5, 9), drawn_pixel(5, 9, 1));
  wait_frames(5);
  const uint64_t uploaded = daemon.statistic("uploaded_bytes");
  const uint64_t presents = daemon.statistic("presents");
  const uint64_t ticks = daemon.statistic("ticks");
  ASSERT_TRUE(eventually([&] { return daemon.statistic("ticks") >= ticks + 60; }));
  EXPECT_EQ(daemon.statistic("uploaded_bytes"), uploaded);
  EXPECT_EQ(daemon.statistic("presents"), presents);
}

TEST_F(TrackerTest, ReaderCausesNoTicks) {
  Daemon& daemon = start();
  const DeviceFile file(daemon.device(), O_RDONLY);
  Program program(daemon.device(), {"open ro", "map r smem"});
  EXPECT_EQ(program.ask("peek 0"), "ok 0x00000000");
  wait_frames(3);
  const uint64_t before = daemon.statistic("ticks");
  wait_frames(60);
  EXPECT_EQ(daemon.statistic("ticks"), before);
}

TEST_F(TrackerTest, NoThreadWakesUpWithoutOpenFile) {
  Daemon& daemon = start();
  {
    Program program(daemon.device(), open_and_map);
    ASSERT_EQ(program.ask("animate 1"), "ok drawing");
    ASSERT_TRUE(becomes(daemon, "hot"));
  }
  ASSERT_TRUE(becomes(daemon, "idle"));
  wait_frames(10);
  const uint64_t ticks = daemon.statistic("ticks");
  wait_frames(3);
  EXPECT_GE(switches(daemon.process().id()).size(), 4U) << "main, presenter, control, fuse";
  EXPECT_TRUE(comes_to_rest(daemon.process().id()));
  EXPECT_EQ(daemon.statistic("ticks"), ticks);
}

TEST_F(TrackerTest, GuardNeverWakesUp) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  wait_frames(3);
  EXPECT_EQ(switches(daemon.guard()).size(), 1U);
  EXPECT_TRUE(comes_to_rest(daemon.guard()));
}

}  // namespace
}  // namespace fuse_test
