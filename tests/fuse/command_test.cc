// fbemud -- COMMAND, which serves one program and ends with it.

#include <csignal>
#include <cstdlib>
#include <sstream>

#include "daemon.h"
#include "program.h"

namespace fuse_test {
namespace {

class CommandTest : public DaemonTest {
 protected:
  /// Runs fbemud with a command to its end, and expects the exit status `status`.
  Daemon& serve(const std::vector<std::string>& command, int status) {
    Daemon& daemon = try_to_start({.command = command});
    daemon.expect_exit_status(status);
    EXPECT_TRUE(daemon.process().wait());
    return daemon;
  }
};

TEST_F(CommandTest, EnvironmentNamesDeviceAndSocket) {
  Daemon& daemon = serve({"sh", "-c", "echo \"$FRAMEBUFFER|$SDL_FBDEV|$FBEMU_CONTROL|$PATH\""}, 0);
  const std::string device = daemon.device();
  EXPECT_EQ(daemon.process().output(),
            device + "|" + device + "|" + daemon.control() + "|" + std::getenv("PATH") + "\n");
}

TEST_F(CommandTest, ExitStatusIsThatOfCommand) {
  serve({"true"}, 0);
  serve({"sh", "-c", "exit 3"}, 3);
  serve({"sh", "-c", "exit 255"}, 255);
}

TEST_F(CommandTest, SignalThatEndsCommandGivesExitStatus128PlusNumber) {
  serve({"sh", "-c", "kill -KILL $$"}, 128 + SIGKILL);
  serve({"sh", "-c", "kill -SEGV $$"}, 128 + SIGSEGV);
}

TEST_F(CommandTest, MissingCommandReturns127AndNonExecutable126) {
  Daemon& missing = serve({"no-such-program-anywhere"}, 127);
  missing.expect_warnings();
  EXPECT_NE(missing.log().find("no-such-program-anywhere"), std::string::npos) << missing.log();
  Daemon& folder = serve({"/"}, 126);
  folder.expect_warnings();
  EXPECT_NE(folder.log().find("cannot run /"), std::string::npos) << folder.log();
}

TEST_F(CommandTest, CommandDrawsAndTakesScreenshot) {
  const std::string png = file("shot.png");
  Daemon& daemon =
      serve({"sh", "-c",
             std::string(FBPROGRAM_PATH) + " $FRAMEBUFFER 'open rw' 'map rw smem' 'picture 1' && " +
                 FBEMUCTL_PATH + " screenshot " + png},
            0);
  EXPECT_EQ(daemon.process().output(), "ok\nok\nok\n");
  EXPECT_TRUE(same(read_png(png), drawn_picture(640, 480, 1)));
}

TEST_F(CommandTest, ArgumentsArePassedUnchanged) {
  Daemon& daemon = serve({"printf", "%s|", "a b", "--device", "", "*"}, 0);
  EXPECT_EQ(daemon.process().output(), "a b|--device||*|");
}

TEST_F(CommandTest, StandardInputIsInherited) {
  Daemon& daemon = try_to_start({.command = {"cat"}});
  daemon.process().send("through\n");
  daemon.process().close_input();
  EXPECT_TRUE(daemon.process().wait());
  EXPECT_EQ(daemon.process().output(), "through\n");
}

TEST_F(CommandTest, SignalToDaemonReachesCommand) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Daemon& daemon = start(
        {.command = {"sh", "-c",
                     "trap 'echo signalled; exit 7' TERM INT; echo waiting; while :; do sleep 0.02; done"}});
    ASSERT_EQ(daemon.process().read_line(), "waiting");
    daemon.expect_exit_status(128 + signal);
    daemon.end(signal);
    EXPECT_EQ(daemon.process().output(), "waiting\nsignalled\n");
  }
}

TEST_F(CommandTest, CommandThatIgnoresSignalDoesNotDelayEnd) {
  Daemon& daemon = start({.command = {"sh", "-c", "trap '' TERM; echo $$; exec sleep 100"}});
  const pid_t command = std::stoi(daemon.process().read_line().value_or("0"));
  ASSERT_GT(command, 0);
  daemon.expect_exit_status(128 + SIGTERM);
  daemon.end();
  ::kill(command, SIGKILL);
}

TEST_F(CommandTest, CommandHasDefaultSignals) {
  // The daemon blocks the signals that it reads from a descriptor; its child must not inherit the mask.
  Daemon& daemon = serve({"sed", "-n", "s/^Sig\\(Blk\\|Ign\\):\\t//p", "/proc/self/status"}, 0);
  std::istringstream lines(daemon.process().output());
  uint64_t blocked = 1;
  uint64_t ignored = 1;
  lines >> std::hex >> blocked >> ignored;
  constexpr uint64_t of_the_c_library = 0x1'8000'0000;  // 32 and 33, which posix_spawn() ignores
  EXPECT_EQ(blocked, 0U);
  EXPECT_EQ(ignored & ~of_the_c_library, 0U);
}

TEST_F(CommandTest, CommandInheritsNoDescriptors) {
  // The last descriptor is the folder, which ls itself has open.
  Daemon& daemon = serve({"ls", "/proc/self/fd"}, 0);
  EXPECT_EQ(daemon.process().output(), "0\n1\n2\n3\n");
}

TEST_F(CommandTest, CommandIsNotStartedIfServingFails) {
  const Ended ended =
      run({FBEMUD_PATH, "--device", file("missing/fb"), "--card", "headless", "--", "echo", "started"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_EQ(ended.output, "");
}

}  // namespace
}  // namespace fuse_test
