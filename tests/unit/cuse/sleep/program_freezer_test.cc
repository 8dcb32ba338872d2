#include "cuse/sleep/program_freezer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/captured_log.h"
#include "tests/support/traced_program.h"

namespace {

using cuse::FreezeReport;
using cuse::ProgramFreezer;
using unit::ChildProcess;
using unit::CountingProgram;
using unit::eventually;
using unit::has_state;
using unit::state_of;
using Reason = FreezeReport::Reason;

/// Makes ptrace(2) fail with EPERM in this process, as Yama does.
bool forbid_ptrace() {
  std::array<sock_filter, 4> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/// Programs that have a file in memory open in place of the framebuffer. The programs are started before the
/// freezer's thread, because ThreadSanitizer allows no threads in a fork of a process that has several.
class ProgramFreezerTest : public testing::Test {
 protected:
  /// Makes a vfork() child that ends when a byte comes through `end_of_child`, and waits for it. Stores its
  /// number in `child`. A thread that waits like this cannot be stopped, as one that waits for another file
  /// server. Returns false if there is no child.
  bool wait_for_vfork_child(const unit::Pipe& end_of_child, std::atomic<pid_t>& child) {
    const auto made = static_cast<pid_t>(::syscall(SYS_clone, CLONE_VFORK | SIGCHLD, nullptr));
    if (made == 0) {
      file_.reset();
      // The end of the test ends this process too.
      ::close(end_of_child.in.get());
      child = static_cast<pid_t>(::syscall(SYS_getpid));
      static_cast<void>(end_of_child.get());
      ::_exit(0);
    }
    return made > 0;
  }

  ProgramFreezerTest() : file_(::memfd_create("framebuffer", MFD_CLOEXEC)) {
    struct stat status {};
    EXPECT_EQ(::fstat(file_.get(), &status), 0);
    options_.files = {status.st_dev, status.st_ino, 0};
    // Only a freezer that is broken, or a test of the timeouts, reaches them.
    options_.stop_timeout = unit::timeout;
    options_.thaw_timeout = 10 * unit::timeout;
  }

  /// Returns the states of all threads of all programs that use the file.
  [[nodiscard]] std::string states() const {
    std::string states;
    for (const pid_t process : cuse::FramebufferPrograms(options_.files, {::getpid()}).find()) {
      for (const pid_t thread : cuse::numbers_in("/proc/" + std::to_string(process) + "/task")) {
        states += state_of(thread);
      }
    }
    return states;
  }
  [[nodiscard]] bool all_are_frozen() const {
    const std::string seen = states();
    return !seen.empty() && std::ranges::all_of(seen, [](char state) { return state == 't'; });
  }

  base::UniqueFd file_;
  ProgramFreezer::Options options_;
};

TEST_F(ProgramFreezerTest, ProgramsAreFrozenUntilThaw) {
  const CountingProgram one;
  const CountingProgram other;
  ProgramFreezer freezer(options_);
  ASSERT_TRUE(one.runs() && other.runs());
  const FreezeReport report = freezer.freeze();
  EXPECT_EQ(report.programs, 2U);
  EXPECT_GE(report.threads, 2U);
  EXPECT_TRUE(report.exceptions.empty());
  EXPECT_TRUE(all_are_frozen()) << states();
  EXPECT_TRUE(freezer.thaw());
  EXPECT_TRUE(one.runs() && other.runs());
  EXPECT_FALSE(freezer.thaw()) << "nothing is frozen";
}

TEST_F(ProgramFreezerTest, ProgramWithoutFramebufferRunsOn) {
  const unit::Shared<std::atomic<int>> counter;
  const ChildProcess other([&] {
    file_.reset();
    for (;;) ++*counter;
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return *counter > 0; }));
  ProgramFreezer freezer(options_);
  EXPECT_EQ(freezer.freeze().programs, 0U);
  const int before = *counter;
  EXPECT_TRUE(eventually([&] { return *counter != before; }));
}

TEST_F(ProgramFreezerTest, OwnProcessRunsOn) {
  const CountingProgram guard;
  ASSERT_TRUE(guard.runs());
  options_.own_processes = {guard.process()};
  ProgramFreezer freezer(options_);
  EXPECT_EQ(freezer.freeze().programs, 0U);
  EXPECT_TRUE(guard.runs());
}

TEST_F(ProgramFreezerTest, ThreadsThatStartAllTheTimeAreFrozen) {
  const CountingProgram program([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([] { std::thread([] {}).join(); });
    for (std::thread& thread : threads) thread.join();
    return true;
  });
  ASSERT_TRUE(program.runs());
  for (int i = 0; i < 10; ++i) {
    ProgramFreezer freezer(options_);
    const FreezeReport report = freezer.freeze();
    EXPECT_EQ(report.programs, 1U);
    EXPECT_TRUE(report.exceptions.empty());
    EXPECT_TRUE(all_are_frozen()) << states();
    freezer.thaw();
    ASSERT_TRUE(program.runs());
  }
}

TEST_F(ProgramFreezerTest, ProgramsThatStartAllTheTimeAreFrozen) {
  const CountingProgram program([] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    return child > 0 && ::waitpid(child, nullptr, 0) == child;
  });
  ASSERT_TRUE(program.runs());
  for (int i = 0; i < 10; ++i) {
    ProgramFreezer freezer(options_);
    EXPECT_TRUE(freezer.freeze().exceptions.empty());
    EXPECT_TRUE(all_are_frozen()) << states();
    freezer.thaw();
    ASSERT_TRUE(program.runs());
  }
  EXPECT_EQ(program.failures(), 0U);
}

TEST_F(ProgramFreezerTest, FurtherFreezeStopsNewProgram) {
  const CountingProgram program;
  const unit::Pipe closed;
  const unit::Pipe start;
  const unit::Shared<std::atomic<int>> counter;
  const int reopened = file_.get();
  const std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(reopened);
  const ChildProcess late([&] {
    file_.reset();
    closed.put('c');
    static_cast<void>(start.get());
    const base::UniqueFd file(::open(path.c_str(), O_RDONLY));
    for (;;) ++*counter;
    return 0;
  });
  static_cast<void>(closed.get());
  ProgramFreezer freezer(options_);
  EXPECT_EQ(freezer.freeze().programs, 1U);
  start.put('s');
  ASSERT_TRUE(eventually([&] { return *counter > 0; }));
  EXPECT_EQ(freezer.freeze().programs, 2U);
  EXPECT_EQ(state_of(late.process()), 't');
}

TEST_F(ProgramFreezerTest, TracedProgramIsReportedAndLeftAlone) {
  const CountingProgram program;
  ASSERT_TRUE(program.runs());
  const ChildProcess debugger([&] {
    file_.reset();
    if (::ptrace(PTRACE_SEIZE, program.process(), nullptr, nullptr) != 0) return 1;
    unit::wait_to_be_killed();
  });
  ASSERT_TRUE(eventually([&] { return cuse::read_thread_status(program.process())->tracer != 0; }));
  ProgramFreezer freezer(options_);
  const FreezeReport report = freezer.freeze();
  EXPECT_EQ(report.programs, 0U);
  ASSERT_EQ(report.exceptions.size(), 1U);
  EXPECT_EQ(report.exceptions[0].process, program.process());
  EXPECT_EQ(report.exceptions[0].reason, Reason::traced);
  EXPECT_TRUE(program.runs());
}

TEST_F(ProgramFreezerTest, ProgramThatDoesNotStopIsNamedAndReleased) {
  const unit::Pipe end_of_child;
  const unit::Shared<std::atomic<pid_t>> child;
  const CountingProgram program([&] { return wait_for_vfork_child(end_of_child, *child); });
  ASSERT_TRUE(eventually([&] { return *child != 0; }));
  options_.stop_timeout = std::chrono::milliseconds(1);
  const unit::CapturedLog log;
  ProgramFreezer freezer(options_);
  const FreezeReport report = freezer.freeze();
  ASSERT_EQ(report.exceptions.size(), 1U);
  EXPECT_EQ(report.exceptions[0].process, program.process());
  EXPECT_EQ(report.exceptions[0].reason, Reason::not_stopped);
  EXPECT_EQ(log.count("warning: cannot freeze process " + std::to_string(program.process())), 1);
  EXPECT_TRUE(freezer.thaw());
  EXPECT_TRUE(eventually([&] { return cuse::read_thread_status(program.process())->tracer == 0; }));
  end_of_child.put('e');
  EXPECT_TRUE(program.runs());
}

TEST_F(ProgramFreezerTest, ProgramsRunAgainIfNoThawComes) {
  const CountingProgram program;
  options_.thaw_timeout = std::chrono::milliseconds(1);
  const unit::CapturedLog log;
  ProgramFreezer freezer(options_);
  EXPECT_EQ(freezer.freeze().programs, 1U);
  EXPECT_TRUE(program.runs());
  EXPECT_EQ(log.count("warning: no thaw came"), 1);
  EXPECT_FALSE(freezer.thaw());
  EXPECT_EQ(freezer.freeze().programs, 1U) << "it can be frozen again";
}

TEST_F(ProgramFreezerTest, DestructorLetsProgramsRun) {
  const CountingProgram program;
  {
    ProgramFreezer freezer(options_);
    EXPECT_EQ(freezer.freeze().programs, 1U);
  }
  EXPECT_TRUE(program.runs());
}

TEST_F(ProgramFreezerTest, FreezeAfterStopIsRefused) {
  const CountingProgram program;
  ProgramFreezer freezer(options_);
  EXPECT_EQ(freezer.freeze().programs, 1U);
  EXPECT_TRUE(freezer.stop(unit::timeout));
  EXPECT_TRUE(program.runs());
  EXPECT_THROW(freezer.freeze(), std::runtime_error);
  EXPECT_TRUE(program.runs());
}

TEST_F(ProgramFreezerTest, StopEndsFreezeThatIsInProgress) {
  const unit::Pipe end_of_child;
  const unit::Shared<std::atomic<pid_t>> child;
  const CountingProgram program([&] { return wait_for_vfork_child(end_of_child, *child); });
  ASSERT_TRUE(eventually([&] { return *child != 0; }));
  ProgramFreezer freezer(options_);
  std::thread caller([&] { EXPECT_THROW(freezer.freeze(), std::runtime_error); });
  ASSERT_TRUE(eventually([&] { return cuse::read_thread_status(program.process())->tracer != 0; }));
  EXPECT_TRUE(freezer.stop(unit::timeout / 2));
  caller.join();
}

TEST_F(ProgramFreezerTest, KilledFrozenProgramCanBeReaped) {
  const unit::Pipe threads_run;
  CountingProgram program([&threads_run] {
    static std::thread second([] { unit::wait_to_be_killed(); });
    static const bool reported = (threads_run.put('r'), true);
    return reported;
  });
  ASSERT_EQ(threads_run.get(), 'r');
  ProgramFreezer freezer(options_);
  EXPECT_GE(freezer.freeze().threads, 2U);
  program.child().kill();  // waits for its end
  EXPECT_EQ(state_of(program.process()), '-');
}

TEST_F(ProgramFreezerTest, MissingRightIsReportedOnceWithRemedy) {
  const CountingProgram program;
  ASSERT_TRUE(program.runs());
  options_.own_processes = {::getpid()};
  ChildProcess daemon([&] {
    if (!forbid_ptrace()) return -1;
    const unit::CapturedLog log;
    ProgramFreezer freezer(options_);
    for (int i = 0; i < 2; ++i) {
      const FreezeReport report = freezer.freeze();
      if (report.exceptions.size() != 1 || report.exceptions[0].reason != Reason::denied) return -2;
    }
    return static_cast<int>(log.count("warning: cannot freeze") * 10 + log.count("CAP_SYS_PTRACE"));
  });
  EXPECT_EQ(daemon.wait(), 12) << "a warning, then a line of another level";
  EXPECT_TRUE(program.runs());
}

}  // namespace
