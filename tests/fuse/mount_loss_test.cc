// The end of the daemon after another process detached its mount or aborted its connection.

#include <sys/mount.h>
#include <unistd.h>

#include "daemon.h"
#include "device_file.h"
#include "private_mounts.h"
#include "program.h"
#include "sanitizer_reports.h"

namespace fuse_test {
namespace {

class MountLossTest : public DaemonTest {
 protected:
  static void expect_end(Daemon& daemon) {
    daemon.expect_exit_status(1);
    daemon.expect_warnings();
    EXPECT_TRUE(daemon.process().wait()) << "the daemon did not end without a mount";
    EXPECT_NE(daemon.log().find("the mount on " + daemon.device()), std::string::npos) << daemon.log();
    EXPECT_NE(daemon.log().find("start fbemud again"), std::string::npos) << daemon.log();
    daemon.check_end();
  }
};

TEST_F(MountLossTest, LazyUnmountEndsDaemon) {
  Daemon& daemon = start();
  ASSERT_EQ(::umount2(daemon.device().c_str(), MNT_DETACH), 0);
  expect_end(daemon);
}

TEST_F(MountLossTest, LazyUnmountWhileProgramDrawsEndsDaemon) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("animate 1"), "ok drawing");
  ASSERT_EQ(::umount2(daemon.device().c_str(), MNT_DETACH), 0);
  expect_end(daemon);
  EXPECT_TRUE(program.kill());
}

TEST_F(MountLossTest, AbortEndsDaemon) {
  Daemon& daemon = start();
  if (!abort_connection(daemon.connection())) GTEST_SKIP() << "this test needs the file system fusectl";
  expect_end(daemon);
}

TEST_F(MountLossTest, AbortWhileProgramsDrawAndWaitEndsDaemon) {
  Daemon& daemon = start({.process = without_leak_check()});
  Program drawing(daemon.device(), open_and_map);
  Program waiting(daemon.device(), {"open rw"});
  ASSERT_EQ(drawing.ask("animate 1"), "ok drawing");
  waiting.send("vsyncs 100000");
  ASSERT_TRUE(eventually([&] { return daemon.statistic("ticks") > 5; }));
  if (!abort_connection(daemon.connection())) GTEST_SKIP() << "this test needs the file system fusectl";
  expect_end(daemon);
  const std::string answer = waiting.answer();
  EXPECT_TRUE(answer == "error ECONNABORTED" || answer == "error ENOTCONN") << answer;
  EXPECT_TRUE(drawing.kill());
}

TEST_F(MountLossTest, UnlinkOfMountPointReturnsEbusy) {
  // rm(1) of the device fails while it is a mount point.
  Daemon& daemon = start();
  EXPECT_EQ(::unlink(daemon.device().c_str()), -1);
  EXPECT_EQ(errno, EBUSY);
}

}  // namespace
}  // namespace fuse_test
