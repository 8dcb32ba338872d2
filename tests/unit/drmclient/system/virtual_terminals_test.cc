#include <gtest/gtest.h>

#include <fstream>

#include "drmclient/system/resume_monitor.h"
#include "drmclient/system/virtual_terminals.h"
#include "tests/support/temporary_folder.h"

using drmclient::KernelTerminals;
using drmclient::terminal_number;

TEST(Terminals, OnlyAVirtualTerminalsNameHasANumber) {
  EXPECT_EQ(terminal_number("tty1\n"), 1U);
  EXPECT_EQ(terminal_number("tty63"), 63U);
  for (const char* other : {"", "tty", "ttyS0", "ttyUSB1", "pts/1", "tty1x", "tty 1", "tty-1"}) {
    EXPECT_EQ(terminal_number(other), std::nullopt) << other;
  }
}

TEST(Terminals, WithoutVirtualTerminalsNothingIsInFront) {
  KernelTerminals terminals("/nonexistent/active", "/nonexistent/vcs");
  EXPECT_EQ(terminals.front(), std::nullopt);
  EXPECT_FALSE(terminals.watch_use());
  EXPECT_FALSE(terminals.read().switched);
}

TEST(Terminals, TheFileSaysWhichIsInFront) {
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("active")) << "tty7\n";
  EXPECT_EQ(KernelTerminals(folder.file("active"), "/nonexistent").front(), 7U);
  EXPECT_EQ(drmclient::terminal_in_front(folder.file("active")), 7U);
}

TEST(Terminals, WhatCannotBeAskedForItsModeIsTakenForText) {
  EXPECT_TRUE(KernelTerminals("/nonexistent/active").front_is_text());
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("active")) << "tty7\n";
  std::ofstream(folder.file("terminal7")) << "no terminal";
  EXPECT_TRUE(KernelTerminals(folder.file("active"), "/nonexistent", "/nonexistent").front_is_text());
  EXPECT_TRUE(
      KernelTerminals(folder.file("active"), "/nonexistent", folder.file("terminal")).front_is_text());
}

TEST(ResumeMonitor, AMachineThatIsAwakeHasNotBeenAsleep) {
  drmclient::ResumeMonitor monitor;
  EXPECT_FALSE(monitor.read());
}
