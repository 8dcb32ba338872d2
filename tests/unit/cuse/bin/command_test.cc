#include "cuse/bin/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "cuse/sleep/thread_freezer.h"
#include "tests/support/environment.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/traced_program.h"

using cuse::Command;

namespace {

/// A program that keeps no descriptor of the test open: a reader of the test's output waits for all writers.
const std::vector<std::string> sleeping_program{"sh", "-c", "exec sleep 1000 < /dev/null > /dev/null 2>&1"};

using Variables = std::vector<std::pair<std::string, std::string>>;

/// Waits for the end of the command and returns its exit status.
int end_of(Command& command) {
  EXPECT_TRUE(unit::eventually([&] { return command.exit_status().has_value(); }));
  return command.exit_status().value_or(-1);
}

int status_of(const std::vector<std::string>& words, const Variables& environment = {}) {
  Command command(words, environment);
  return end_of(command);
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST(Command, ExitStatusIsThatOfTheProgram) {
  EXPECT_EQ(status_of({"true"}), 0);
  EXPECT_EQ(status_of({"sh", "-c", "exit 37"}), 37);
}

TEST(Command, EndBySignalNHasStatus128PlusN) {
  EXPECT_EQ(status_of({"sh", "-c", "kill -KILL $$"}), 137);
  EXPECT_EQ(status_of({"sh", "-c", "kill -TERM $$"}), 143);
}

TEST(Command, MissingProgramHasStatus127) {
  EXPECT_EQ(status_of({"no-such-program-anywhere"}), 127);
  EXPECT_EQ(status_of({"/no/such/program"}), 127);
}

TEST(Command, MissingProgramHasStatus127IfAFolderOfPathIsClosed) {
  const unit::TemporaryFolder closed;
  ASSERT_EQ(::chmod(closed.path().c_str(), 0), 0);
  const unit::Environment path("PATH", closed.path() + ":/usr/bin:/bin");
  // root may search every folder.
  constexpr uid_t nobody = 65'534;
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const int missing = status_of({"no-such-program-anywhere"});
  const int there = status_of({"true"});
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(missing, 127);
  EXPECT_EQ(there, 0);
}

TEST(Command, ProgramThatIsNotExecutableHasStatus126) {
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("plain")) << "#!/bin/sh\n";
  EXPECT_EQ(status_of({folder.file("plain")}), 126);
  EXPECT_EQ(status_of({folder.path()}), 126);
  const unit::Environment path("PATH", folder.path());
  EXPECT_EQ(status_of({"plain"}), 126);
}

TEST(Command, RunningProgramHasNoExitStatus) {
  Command command(sleeping_program, {});
  EXPECT_GT(command.process(), 0);
  EXPECT_FALSE(command.exit_status().has_value());
  command.send(SIGKILL);
  EXPECT_EQ(end_of(command), 137);
}

TEST(Command, SignalReachesTheProgram) {
  Command command(sleeping_program, {});
  command.send(SIGTERM);
  EXPECT_EQ(end_of(command), 143);
}

TEST(Command, SignalAfterTheEndIsDropped) {
  Command command({"true"}, {});
  EXPECT_EQ(end_of(command), 0);
  command.send(SIGKILL);
  EXPECT_EQ(command.exit_status(), 0);
}

TEST(Command, SignalToAProgramThatNeverStartedIsDropped) {
  Command command({"no-such-program-anywhere"}, {});
  command.send(SIGTERM);
  EXPECT_EQ(command.exit_status(), 127);
}

TEST(Command, ArgumentsArePassedUnchanged) {
  const unit::TemporaryFolder folder;
  EXPECT_EQ(status_of({"sh", "-c", "printf '%s|' \"$@\" > \"$0\"", folder.file("out"), "a b", "", "*"}), 0);
  EXPECT_EQ(contents(folder.file("out")), "a b||*|");
}

TEST(Command, EnvironmentIsExtendedAndReplaced) {
  const unit::TemporaryFolder folder;
  const unit::Environment kept("FBEMU_TEST_KEPT", "kept");
  const unit::Environment replaced("FBEMU_TEST_REPLACED", "old");
  const unit::Environment longer("FBEMU_TEST_REPLACED_NOT", "longer name");
  const std::string print =
      "echo $FBEMU_TEST_KEPT,$FBEMU_TEST_REPLACED,$FBEMU_TEST_REPLACED_NOT,$FBEMU_TEST_ADDED > " +
      folder.file("out");
  EXPECT_EQ(status_of({"sh", "-c", print}, {{"FBEMU_TEST_REPLACED", "new"}, {"FBEMU_TEST_ADDED", "added=x"}}),
            0);
  EXPECT_EQ(contents(folder.file("out")), "kept,new,longer name,added=x\n");
}

TEST(Command, BlockedAndIgnoredSignalsAreResetInTheProgram) {
  sigset_t signals;
  sigset_t old;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, &old);
  const auto old_handler = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(status_of({"sh", "-c", "kill -TERM $$"}), 143);
  EXPECT_EQ(status_of({"sh", "-c", "kill -PIPE $$"}), 141);
  ::signal(SIGPIPE, old_handler);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST(Command, ProgramThatIsFrozenHasNotEnded) {
  Command command({"sleep", "1000"}, {});
  cuse::ThreadFreezer freezer;
  ASSERT_EQ(freezer.interrupt(command.process()), cuse::ThreadFreezer::Attempt::interrupted);
  ASSERT_TRUE(unit::has_state(command.process(), 't'));
  EXPECT_FALSE(command.exit_status());
  EXPECT_TRUE(unit::eventually([&] {
    freezer.collect();
    return freezer.running().empty();
  })) << "exit_status() took the stop";
  command.send(SIGKILL);
  EXPECT_TRUE(unit::eventually([&] {
    freezer.collect();
    return freezer.size() == 0;
  }));
  EXPECT_EQ(end_of(command), 128 + SIGKILL) << "the freezer took the end";
}
