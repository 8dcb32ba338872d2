// SIGTERM, SIGINT and SIGHUP: the daemon ends within the limit, whatever programs are doing.

#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "daemon.h"
#include "device_file.h"
#include "program.h"
#include "sanitizer_reports.h"

namespace fuse_test {
namespace {

class EndTest : public DaemonTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Signals, EndTest, testing::Values(SIGTERM, SIGINT, SIGHUP), [](const auto& tested) {
  return std::string("SIG") + ::sigabbrev_np(tested.param);
});

TEST_P(EndTest, DaemonWithoutProgramsEnds) {
  start().end(GetParam());
}

TEST_P(EndTest, DaemonEndsWhileProgramsDraw) {
  Daemon& daemon = start();
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 3; ++i) {
    programs.push_back(std::make_unique<Program>(daemon.device(), open_and_map));
    ASSERT_EQ(programs.back()->ask("animate " + std::to_string(i)), "ok drawing");
  }
  ASSERT_TRUE(eventually([&] { return daemon.statistic("write_backs") > 10; }));
  daemon.end(GetParam());
  for (const auto& program : programs) EXPECT_TRUE(program->kill());
}

TEST_P(EndTest, WaitForVblankIsAnsweredAtEnd) {
  Daemon& daemon = start({.card = "headless:64x64@1"});
  Program program(daemon.device(), open_and_map);
  const uint64_t before = daemon.statistic("ioctls");
  program.send("vsync");
  ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") > before; }));
  daemon.end(GetParam());
  EXPECT_EQ(program.answer(), "ok") << "the wait is answered at the end";
  EXPECT_EQ(program.ask("vsync"), "error ENOTCONN");
}

TEST_P(EndTest, MappedPagesStayReadableAndOtherUsesReturnEnotconn) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  const DeviceFile file(daemon.device());
  ASSERT_EQ(program.ask("picture 1"), "ok");
  ASSERT_EQ(program.ask("check 1"), "ok");
  daemon.end(GetParam());
  EXPECT_EQ(program.ask("check 1"), "ok");
  EXPECT_EQ(program.ask("picture 2"), "ok");
  EXPECT_EQ(program.ask("check 2"), "ok");
  EXPECT_EQ(program.ask("pan 0 0"), "error ENOTCONN");
  fb_var_screeninfo var{};
  EXPECT_EQ(file.ioctl(FBIOGET_VSCREENINFO, &var), ENOTCONN);
  EXPECT_EQ(::fsync(file.get()), -1);
  EXPECT_EQ(program.ask("unmap"), "ok");
}

class BusyEndTest : public DaemonTest {};

TEST_F(BusyEndTest, DaemonEndsDuringIoctlsWithArgumentsInFramebuffer) {
  for (int i = 0; i < 10; ++i) {
    Daemon& daemon = start({.process = without_leak_check()});
    daemon.expect_warnings();  // a thread of the program may end before its last argument is read
    Program program(daemon.device(), open_and_map);
    const uint64_t before = daemon.statistic("ioctls");
    program.send("ioctls-inside 100 1000000");
    ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") > before + 300; }));
    daemon.end();
    ASSERT_TRUE(program.kill()) << "the program did not end after SIGKILL";
    if (HasFailure()) break;
  }
}

TEST_F(BusyEndTest, DaemonEndsRightAfterStart) {
  for (int i = 0; i < 10; ++i) start().end();
}

TEST_F(BusyEndTest, SignalDuringStartLeavesNothing) {
  // A signal before READY=1 must leave no mount and no file.
  for (int i = 0; i < 20; ++i) {
    Process process({FBEMUD_PATH, "--device", file("fb"), "--card", "headless"});
    static_cast<void>(eventually([&] { return !mounts_with(file("fb")).empty() || i % 2 == 0; }));
    process.signal(SIGTERM);
    ASSERT_TRUE(process.wait());
    EXPECT_EQ(mounts_with(folder()), std::vector<std::string>{});
    EXPECT_NE(::access(file("fb").c_str(), F_OK), 0);
  }
}

}  // namespace
}  // namespace fuse_test
