// SIGKILL: the cleanup by the guard, or by the next start if the guard was killed too.

#include <fcntl.h>
#include <unistd.h>

#include "cuse/service/runtime_files.h"
#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr int killed = 128 + SIGKILL;

class KillTest : public DaemonTest {
 protected:
  /// Kills only the daemon; its guard has to clean up.
  static void kill_daemon(Daemon& daemon) {
    daemon.expect_exit_status(killed);
    daemon.end(SIGKILL);
  }
  /// Kills the guard first, then the daemon.
  static void kill_both(Daemon& daemon) {
    daemon.expect_exit_status(killed);
    daemon.expect_leftovers();
    ASSERT_EQ(::kill(daemon.guard(), SIGKILL), 0);
    daemon.end(SIGKILL);
  }
};

TEST_F(KillTest, GuardCleansUpAfterIdleDaemon) {
  kill_daemon(start());
}

TEST_F(KillTest, GuardKeepsCoveredFile) {
  write_file(file("fb"), "before");
  kill_daemon(start());
  EXPECT_EQ(read_file(file("fb")), "before");
}

TEST_F(KillTest, KilledDaemonEndsDuringWriteback) {
  // A thread of the daemon that waits for writeback must not keep the killed process alive.
  for (int i = 0; i < 20; ++i) {
    Daemon& daemon = start();
    Program program(daemon.device(), open_and_map);
    ASSERT_EQ(program.ask("dirty"), "ok drawing");
    const uint64_t ticks = i % 4 == 0 ? 30 : 1 + static_cast<uint64_t>(i) % 5;
    ASSERT_TRUE(eventually([&] { return daemon.statistic("ticks") >= ticks; }));
    kill_daemon(daemon);
    ASSERT_TRUE(program.kill()) << "the program did not end after SIGKILL";
    if (HasFailure()) break;
  }
}

TEST_F(KillTest, KilledDaemonEndsDuringWaitForVblank) {
  Daemon& daemon = start({.card = "headless:64x64@1"});
  Program program(daemon.device(), open_and_map);
  const uint64_t before = daemon.statistic("ioctls");
  program.send("vsync");
  ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") > before; }));
  kill_daemon(daemon);
  const std::string answer = program.answer();
  EXPECT_TRUE(answer == "error ECONNABORTED" || answer == "error ENOTCONN") << answer;
  EXPECT_EQ(program.ask("vsync"), "error ENOTCONN");
}

TEST_F(KillTest, KilledDaemonEndsDuringIoctlsWithArgumentsInFramebuffer) {
  // Only the daemon can deliver such memory. A thread of the daemon that waits for it must not keep the
  // killed process and its connection alive.
  for (int i = 0; i < 10; ++i) {
    Daemon& daemon = start();
    Program program(daemon.device(), open_and_map);
    const uint64_t before = daemon.statistic("ioctls");
    program.send("ioctls-inside 100 1000000");
    ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") > before + 300; }));
    kill_daemon(daemon);
    ASSERT_TRUE(program.kill()) << "the program did not end after SIGKILL";
    if (HasFailure()) break;
  }
}

TEST_F(KillTest, NextStartServesSamePath) {
  for (int i = 0; i < 5; ++i) {
    // The next start comes at once, while the guard may still be cleaning up.
    Daemon& first = start();
    first.expect_exit_status(killed);
    first.expect_leftovers();
    first.process().signal(SIGKILL);
    Daemon& second = start();
    second.expect_device_afterwards(false);
    first.check_end();
    const DeviceFile device(second.device());
    EXPECT_EQ(device.var().xres, 640U);
    EXPECT_EQ(mounts_with(second.device()).size(), 1U);
    second.end();
  }
}

TEST_F(KillTest, NextStartAfterKilledGuardReplacesStaleMountAndRemovesFile) {
  Daemon& first = start();
  const DeviceFile stale(first.device());
  kill_both(first);
  EXPECT_EQ(mounts_with(first.device()).size(), 1U) << "no guard removed it";
  EXPECT_EQ(::open(first.device().c_str(), O_RDONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, ENOTCONN);

  Daemon& second = start();
  second.expect_device_afterwards(false);
  EXPECT_NE(second.log().find("process " + std::to_string(first.process().id())), std::string::npos)
      << second.log();
  EXPECT_EQ(mounts_with(second.device()).size(), 1U);
  const DeviceFile device(second.device());
  EXPECT_EQ(device.var().xres, 640U);
  // The first daemon made the file, the second removes it.
}

TEST_F(KillTest, StaleMountWithCachedAttributesIsRecognized) {
  Daemon& first = start();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(::access(first.device().c_str(), R_OK), 0);
  EXPECT_EQ(run({"ls", "-l", first.device()}).exit_status, 0);
  kill_both(first);
  EXPECT_EQ(run({"ls", "-l", first.device()}).exit_status, 0) << "the cached attributes need no daemon";
  Daemon& second = start();
  second.expect_device_afterwards(false);
  const DeviceFile device(second.device());
  EXPECT_EQ(device.var().xres, 640U);
}

TEST_F(KillTest, NextDaemonKeepsFileNotMadeByDaemon) {
  write_file(file("fb"), "before");
  Daemon& first = start();
  kill_both(first);
  Daemon& second = start();
  second.expect_device_afterwards(true);
  second.end();
  EXPECT_EQ(read_file(file("fb")), "before");
}

TEST_F(KillTest, ProgramOfKilledDaemonDoesNotDisturbNext) {
  Daemon& first = start();
  Program old(first.device(), open_and_map);
  ASSERT_EQ(old.ask("picture 1"), "ok");
  kill_both(first);
  Daemon& second = start();
  second.expect_device_afterwards(false);
  Program fresh(second.device(), open_and_map);
  ASSERT_EQ(fresh.ask("picture 2"), "ok");
  EXPECT_EQ(old.ask("check 1"), "ok") << "the program keeps its mapped pages";
  EXPECT_EQ(old.ask("picture 3"), "ok");
  EXPECT_EQ(old.ask("pan 0 0"), "error ENOTCONN");
  EXPECT_TRUE(old.kill());
  EXPECT_TRUE(same(second.screenshot(), drawn_picture(640, 480, 2)));
}

TEST_F(KillTest, DaemonWithKilledGuardEndsInOrder) {
  Daemon& daemon = start();
  ASSERT_EQ(::kill(daemon.guard(), SIGKILL), 0);
  const DeviceFile device(daemon.device());
  EXPECT_EQ(device.var().xres, 640U);
  daemon.end();
}

TEST_F(KillTest, SignalsToProcessGroupDoNotEndGuard) {
  Daemon& daemon = start();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ASSERT_EQ(::kill(daemon.guard(), signal), 0);
  kill_daemon(daemon);
}

}  // namespace
}  // namespace fuse_test
