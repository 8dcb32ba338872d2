#include "cuse/keeper/guard.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/eventually.h"

using cuse::Guard;
using unit::ChildProcess;
using unit::Pipe;

TEST(Guard, CleansUpWhenItsParentIsKilled) {
  Pipe news;
  ChildProcess daemon([&] {
    const Guard guard([&] { news.put('c'); });
    news.put('r');
    unit::wait_to_be_killed();
    return 0;
  });
  news.in.reset();
  ASSERT_EQ(news.get(), 'r');
  daemon.kill();
  EXPECT_EQ(news.get(), 'c');
  EXPECT_EQ(news.get(), '\0') << "it cleans up once and ends";
}

TEST(Guard, CleansUpWhenItsParentExitsWithoutDismissingIt) {
  Pipe news;
  ChildProcess daemon([&] {
    auto* guard = new Guard([&] { news.put('c'); });
    return guard->process() > 0 ? 0 : 1;
  });
  news.in.reset();
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(news.get(), 'c');
}

TEST(Guard, DoesNotCleanUpWhenDismissed) {
  Pipe news;
  {
    Guard guard([&] { news.put('c'); });
    EXPECT_GT(guard.process(), 0);
    guard.dismiss();
  }
  news.in.reset();
  EXPECT_EQ(news.get(), '\0');
}

TEST(Guard, IsDismissedByItsDestructor) {
  Pipe news;
  {
    const Guard guard([&] { news.put('c'); });
  }
  news.in.reset();
  EXPECT_EQ(news.get(), '\0');
}

TEST(Guard, DismissEndsAndReapsTheProcess) {
  Guard guard([] {});
  const pid_t process = guard.process();
  guard.dismiss();
  EXPECT_EQ(::kill(process, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  guard.dismiss();
}

TEST(Guard, IgnoresTheSignalsThatEndADaemon) {
  Pipe news;
  ChildProcess daemon([&] {
    const Guard guard([&] { news.put('c'); });
    // A guard replaces its standard error last before it waits.
    const std::string error_output = "/proc/" + std::to_string(guard.process()) + "/fd/2";
    const bool ready = unit::eventually([&] {
      std::error_code ignored;
      return std::filesystem::read_symlink(error_output, ignored) == "/dev/null";
    });
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::kill(guard.process(), signal);
    news.put(ready && ::kill(guard.process(), 0) == 0 ? 'r' : 'x');
    unit::wait_to_be_killed();
    return 0;
  });
  news.in.reset();
  ASSERT_EQ(news.get(), 'r');
  daemon.kill();
  EXPECT_EQ(news.get(), 'c');
}

TEST(Guard, DismissAfterTheGuardWasKilledReturns) {
  Guard guard([] {});
  const auto old_handler = ::signal(SIGPIPE, SIG_IGN);
  ::kill(guard.process(), SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(guard.process()), &info, WEXITED | WNOWAIT), 0);
  guard.dismiss();
  EXPECT_EQ(guard.process(), -1);
  ::signal(SIGPIPE, old_handler);
}
