// Others take the mount away under the daemon.

#include <sys/mount.h>
#include <unistd.h>

#include "daemon.h"
#include "device_file.h"
#include "private_mounts.h"
#include "program.h"
#include "sanitizer_reports.h"

namespace fuse_test {
namespace {

class TakenAwayTest : public DaemonTest {
 protected:
  static void expect_end(Daemon& daemon) {
    daemon.expect_exit_status(1);
    daemon.expect_complaints();
    EXPECT_TRUE(daemon.process().wait()) << "the daemon goes on without a mount";
    EXPECT_NE(daemon.log().find("taken away"), std::string::npos) << daemon.log();
    EXPECT_NE(daemon.log().find(daemon.device()), std::string::npos) << daemon.log();
    daemon.check_end();
  }
};

TEST_F(TakenAwayTest, ByALazyUmount) {
  Daemon& daemon = start();
  ASSERT_EQ(::umount2(daemon.device().c_str(), MNT_DETACH), 0);
  expect_end(daemon);
}

TEST_F(TakenAwayTest, ByALazyUmountWhileAProgramDraws) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("animate 1"), "ok drawing");
  ASSERT_EQ(::umount2(daemon.device().c_str(), MNT_DETACH), 0);
  expect_end(daemon);
  EXPECT_TRUE(program.kill());
}

TEST_F(TakenAwayTest, ByAnAbortOfItsConnection) {
  Daemon& daemon = start();
  if (!abort_connection(daemon.connection())) GTEST_SKIP() << "this needs the file system fusectl";
  expect_end(daemon);
}

TEST_F(TakenAwayTest, ByAnAbortOfItsConnectionWhileProgramsDrawAndWait) {
  Daemon& daemon = start({.process = without_leak_check()});
  Program drawing(daemon.device(), open_and_map);
  Program waiting(daemon.device(), {"open rw"});
  ASSERT_EQ(drawing.ask("animate 1"), "ok drawing");
  waiting.tell("vsyncs 100000");
  ASSERT_TRUE(eventually([&] { return daemon.statistic("ticks") > 5; }));
  if (!abort_connection(daemon.connection())) GTEST_SKIP() << "this needs the file system fusectl";
  expect_end(daemon);
  const std::string answer = waiting.answer();
  EXPECT_TRUE(answer == "error ECONNABORTED" || answer == "error ENOTCONN") << answer;
  EXPECT_TRUE(drawing.kill());
}

TEST_F(TakenAwayTest, TheFileUnderTheMountByRemoval) {
  // rm(1) of the device fails while it is a mount point; and the next start is not confused.
  Daemon& daemon = start();
  EXPECT_EQ(::unlink(daemon.device().c_str()), -1);
  EXPECT_EQ(errno, EBUSY);
}

}  // namespace
}  // namespace fuse_test
