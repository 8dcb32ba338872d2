#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/unique_fd.h"
#include "drmclient/system/resume_monitor.h"
#include "drmclient/system/virtual_terminals.h"
#include "tests/support/temporary_folder.h"

using drmclient::KernelVirtualTerminals;
using drmclient::terminal_number;

TEST(VirtualTerminals, OnlyVirtualTerminalNameHasNumber) {
  EXPECT_EQ(terminal_number("tty1\n"), 1U);
  EXPECT_EQ(terminal_number("tty63"), 63U);
  for (const char* other : {"", "tty", "ttyS0", "ttyUSB1", "pts/1", "tty1x", "tty 1", "tty-1"}) {
    EXPECT_EQ(terminal_number(other), std::nullopt) << other;
  }
}

TEST(VirtualTerminals, MissingFileHasNoActiveVt) {
  KernelVirtualTerminals terminals("/nonexistent/active", "/nonexistent/vcs");
  EXPECT_EQ(terminals.active(), std::nullopt);
  EXPECT_FALSE(terminals.watch_use());
  EXPECT_FALSE(terminals.read().switched);
}

TEST(VirtualTerminals, FileNamesActiveVt) {
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("active")) << "tty7\n";
  EXPECT_EQ(KernelVirtualTerminals(folder.file("active"), "/nonexistent").active(), 7U);
  EXPECT_EQ(drmclient::active_vt(folder.file("active")), 7U);
}

TEST(VirtualTerminals, TerminalWithoutModeIsText) {
  EXPECT_TRUE(KernelVirtualTerminals("/nonexistent/active").active_is_text());
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("active")) << "tty7\n";
  std::ofstream(folder.file("terminal7")) << "not a terminal";
  EXPECT_TRUE(KernelVirtualTerminals(folder.file("active"), "/nonexistent", "/nonexistent").active_is_text());
  EXPECT_TRUE(KernelVirtualTerminals(folder.file("active"), "/nonexistent", folder.file("terminal"))
                  .active_is_text());
}

TEST(VirtualTerminals, FailedWaitLeavesNoDescriptorToPoll) {
  KernelVirtualTerminals terminals("/nonexistent/active", "/nonexistent/vcs");
  ASSERT_GE(terminals.descriptor(), 0);
  const base::UniqueFd no_epoll(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::dup3(no_epoll.get(), terminals.descriptor(), O_CLOEXEC), terminals.descriptor());
  EXPECT_FALSE(terminals.read().switched);
  EXPECT_EQ(terminals.descriptor(), -1);
  EXPECT_FALSE(terminals.read().switched);
  EXPECT_FALSE(terminals.watch_use());
}

TEST(ResumeMonitor, AwakeMachineHasNotSlept) {
  drmclient::ResumeMonitor monitor;
  EXPECT_FALSE(monitor.read());
}
