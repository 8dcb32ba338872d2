// fbemud without root, through fusermount3, for programs of the same user.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "program.h"
#include "user_fixture.h"

namespace fuse_test {
namespace {

TEST_F(UserTest, ProgramDrawsAndScreenshotShowsIt) {
  Daemon& daemon = start(daemon_of_user());
  const Ended drawn =
      run({home() + "/fbprogram", daemon.device(), "open rw", "map rw smem", "picture 1"}, as_user());
  EXPECT_EQ(drawn.exit_status, 0) << drawn.output << drawn.errors;
  const Ended shot = run(
      {home() + "/fbemuctl", "--control", daemon.control(), "screenshot", home() + "/shot.png"}, as_user());
  EXPECT_EQ(shot.exit_status, 0) << shot.errors;
  EXPECT_TRUE(same(read_png(home() + "/shot.png"), drawn_picture(640, 480, 1)));
}

TEST_F(UserTest, SocketIsFoundInUsersFolder) {
  DaemonOptions options = daemon_of_user();
  options.command = {home() + "/fbemuctl", "status"};
  Daemon& daemon = try_to_start(options);
  EXPECT_TRUE(daemon.process().wait());
  EXPECT_NE(daemon.process().output().find(home() + "/fb"), std::string::npos) << daemon.process().output();
}

TEST_F(UserTest, DaemonEndsWhileProgramDraws) {
  Daemon& daemon = start(daemon_of_user());
  ProcessOptions options = as_user();
  Process program({home() + "/fbprogram", daemon.device()}, options);
  program.send("open rw\nmap rw smem\nanimate 1\n");
  for (const char* answer : {"ok", "ok", "ok drawing"}) ASSERT_EQ(program.read_line(), answer);
  daemon.end();
  program.signal(SIGKILL);
  EXPECT_TRUE(program.wait());
}

TEST_F(UserTest, GuardCleansUpAfterKilledDaemon) {
  Daemon& daemon = start(daemon_of_user());
  daemon.expect_exit_status(128 + SIGKILL);
  daemon.end(SIGKILL);
}

TEST_F(UserTest, NextStartAfterKilledGuardReplacesStaleMount) {
  Daemon& first = start(daemon_of_user());
  first.expect_exit_status(128 + SIGKILL);
  first.expect_leftovers();
  ASSERT_EQ(::kill(first.guard(), SIGKILL), 0);
  first.end(SIGKILL);
  Daemon& second = start(daemon_of_user());
  second.expect_device_afterwards(false);
  EXPECT_EQ(mounts_with(second.device()).size(), 1U);
}

TEST_F(UserTest, DeviceOfRootIsRefused) {
  const Ended ended = run({home() + "/fbemud", "--device", file("fb"), "--card", "headless"}, as_user());
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find(file("fb")), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("folder of yours"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace fuse_test
