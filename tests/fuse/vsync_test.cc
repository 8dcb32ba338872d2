// FBIO_WAITFORVSYNC, which delays no other call and ends with a signal.

#include <memory>
#include <vector>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

/// A card with one vblank a second, so that a test can examine waiting programs.
const DaemonOptions slow{.card = "headless:64x64@1"};

class VsyncTest : public DaemonTest {};

TEST_F(VsyncTest, EachWaitEndsAtItsOwnVblank) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw"});
  const uint64_t before = daemon.statistic("ticks");
  ASSERT_EQ(program.ask("vsyncs 20"), "ok");
  EXPECT_GE(daemon.statistic("ticks") - before, 19U);
}

TEST_F(VsyncTest, ReaderCanWait) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open ro"});
  EXPECT_EQ(program.ask("vsyncs 3"), "ok");
}

TEST_F(VsyncTest, BlankedScreenHasVblanks) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw", "blank 4"});
  EXPECT_EQ(program.ask("vsyncs 3"), "ok");
}

TEST_F(VsyncTest, NullPointerReturnsEfault) {
  // The kernel's fbdev does not read the argument, but its FUSE client does before it asks the daemon.
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw"});
  EXPECT_EQ(program.ask("vsync null"), "error EFAULT");
}

TEST_F(VsyncTest, SignalEndsWaitWithEintr) {
  Daemon& daemon = start(slow);
  Program program(daemon.device(), {"open rw"});
  EXPECT_EQ(program.ask("interrupted-vsync"), "error EINTR");
  EXPECT_EQ(program.ask("vsync"), "ok");
}

TEST_F(VsyncTest, WaitDoesNotDelayOtherCalls) {
  Daemon& daemon = start(slow);
  Program waiting(daemon.device(), {"open rw"});
  Program other(daemon.device(), {"open rw"});
  const uint64_t before = daemon.statistic("ticks");
  waiting.send("vsync");
  ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") >= 5; }));
  const uint64_t waiting_since = daemon.statistic("ticks");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(other.ask("var"), "ok 64 64 64 64 0 0 32");
  EXPECT_LE(daemon.statistic("ticks") - waiting_since, 3U) << "the calls did not wait for a vblank";
  EXPECT_EQ(waiting.answer(), "ok");
  EXPECT_GT(daemon.statistic("ticks"), before);
}

TEST_F(VsyncTest, KilledWaitingProgramIsReleased) {
  Daemon& daemon = start(slow);
  for (int i = 0; i < 5; ++i) {
    Program program(daemon.device(), {"open rw"});
    const uint64_t before = daemon.statistic("ioctls");
    program.send("vsync");
    ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") > before; }));
    EXPECT_TRUE(program.kill());
  }
  EXPECT_TRUE(eventually([&] { return daemon.status().at("open_files") == 0; }));
  Program program(daemon.device(), {"open rw"});
  EXPECT_EQ(program.ask("vsync"), "ok");
}

TEST_F(VsyncTest, ManyProgramsWaitAtOnce) {
  Daemon& daemon = start(slow);
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 50; ++i) {
    programs.push_back(std::make_unique<Program>(daemon.device(), std::vector<std::string>{"open rw"}));
  }
  const uint64_t before = daemon.statistic("ioctls");
  for (const auto& program : programs) program->send("vsync");
  EXPECT_TRUE(eventually([&] { return daemon.statistic("ioctls") == before + 50; }));
  const DeviceFile file(daemon.device());
  EXPECT_EQ(file.var().xres, 64U);
  for (const auto& program : programs) EXPECT_EQ(program->answer(), "ok");
}

TEST_F(VsyncTest, StoppedDaemonContinuesAfterSigcont) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 1"), "ok");
  daemon.process().signal(SIGSTOP);
  // The signal takes effect with a delay, so an earlier wait is still answered.
  EXPECT_TRUE(eventually([&] {
    program.send("vsync");
    return program.answer(300ms) == "no answer";
  }));
  daemon.process().signal(SIGCONT);
  EXPECT_EQ(program.answer(), "ok");
  EXPECT_EQ(program.ask("picture 2"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 2)));
}

}  // namespace
}  // namespace fuse_test
