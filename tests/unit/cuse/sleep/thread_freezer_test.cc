#include "cuse/sleep/thread_freezer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <optional>
#include <thread>

#include "tests/support/traced_program.h"

namespace {

using cuse::ThreadFreezer;
using unit::ChildProcess;
using unit::CountingProgram;
using unit::eventually;
using unit::has_state;
using unit::state_of;
using Attempt = ThreadFreezer::Attempt;

/// Waits until all threads that the freezer has are stopped.
bool all_stop(ThreadFreezer& freezer) {
  return eventually([&] {
    freezer.collect();
    return freezer.running().empty();
  });
}

void freeze(ThreadFreezer& freezer, pid_t thread) {
  ASSERT_EQ(freezer.interrupt(thread), Attempt::interrupted);
  ASSERT_TRUE(all_stop(freezer));
  ASSERT_EQ(freezer.size(), 1U);
}

bool sleep_a_moment() {
  constexpr timespec moment{0, 2'000'000};
  return ::nanosleep(&moment, nullptr) == 0;
}

}  // namespace

TEST(ThreadFreezer, LoopingThreadIsStoppedUntilThaw) {
  const CountingProgram program;
  ASSERT_TRUE(program.runs());
  ThreadFreezer freezer;
  freeze(freezer, program.process());
  EXPECT_EQ(state_of(program.process()), 't');
  freezer.thaw();
  EXPECT_TRUE(program.runs());
  EXPECT_EQ(freezer.size(), 0U);
}

TEST(ThreadFreezer, DestructorLetsThreadRun) {
  const CountingProgram program;
  std::optional<ThreadFreezer> freezer(std::in_place);
  freeze(*freezer, program.process());
  freezer.reset();
  EXPECT_TRUE(program.runs());
}

TEST(ThreadFreezer, SleepingThreadDoesNotNoticeFreeze) {
  const CountingProgram program(&sleep_a_moment);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(program.runs());
    ThreadFreezer freezer;
    freeze(freezer, program.process());
    freezer.thaw();
  }
  EXPECT_TRUE(program.runs());
  EXPECT_EQ(program.failures(), 0U) << "nanosleep() failed";
}

TEST(ThreadFreezer, StoppedProgramStaysStoppedAfterThaw) {
  const CountingProgram program;
  ASSERT_TRUE(program.runs());
  ::kill(program.process(), SIGSTOP);
  ASSERT_TRUE(has_state(program.process(), 'T'));
  ThreadFreezer freezer;
  freeze(freezer, program.process());
  EXPECT_EQ(state_of(program.process()), 't');
  freezer.thaw();
  EXPECT_TRUE(has_state(program.process(), 'T'));
  ::kill(program.process(), SIGCONT);
  EXPECT_TRUE(program.runs());
}

TEST(ThreadFreezer, StoppedProgramRunsAfterThawIfContinuedMeanwhile) {
  const CountingProgram program;
  ::kill(program.process(), SIGSTOP);
  ASSERT_TRUE(has_state(program.process(), 'T'));
  ThreadFreezer freezer;
  freeze(freezer, program.process());
  ::kill(program.process(), SIGCONT);
  EXPECT_EQ(state_of(program.process()), 't');
  freezer.thaw();
  EXPECT_TRUE(program.runs());
}

TEST(ThreadFreezer, StopSignalDuringFreezeTakesEffectAfterThaw) {
  const CountingProgram program;
  ThreadFreezer freezer;
  freeze(freezer, program.process());
  ::kill(program.process(), SIGSTOP);
  EXPECT_EQ(state_of(program.process()), 't');
  freezer.thaw();
  EXPECT_TRUE(has_state(program.process(), 'T'));
}

TEST(ThreadFreezer, TracedThreadIsLeftAlone) {
  const CountingProgram program;
  ASSERT_TRUE(program.runs());
  const ChildProcess debugger([&] {
    if (::ptrace(PTRACE_SEIZE, program.process(), nullptr, nullptr) != 0) return 1;
    unit::wait_to_be_killed();
  });
  ASSERT_TRUE(eventually([&] { return cuse::read_thread_status(program.process())->tracer != 0; }));
  ThreadFreezer freezer;
  EXPECT_EQ(freezer.interrupt(program.process()), Attempt::traced);
  EXPECT_EQ(freezer.size(), 0U);
  EXPECT_TRUE(program.runs());
}

TEST(ThreadFreezer, EndedThreadIsReportedAsEnded) {
  ChildProcess zombie([] { return 0; });
  ASSERT_TRUE(has_state(zombie.process(), 'Z'));
  ThreadFreezer freezer;
  EXPECT_EQ(freezer.interrupt(zombie.process()), Attempt::ended);
  const pid_t reaped = zombie.process();
  zombie.wait();
  EXPECT_EQ(freezer.interrupt(reaped), Attempt::ended);
}

#ifndef __SANITIZE_THREAD__  // ThreadSanitizer delays signals, and merges those with the same number.
TEST(ThreadFreezer, EveryQueuedSignalIsDelivered) {
  // Signals that arrive between PTRACE_SEIZE and the trap stop the thread before they are delivered.
  struct Memory {
    std::atomic<int> delivered{0};
  };
  static const unit::Shared<Memory>* shared = nullptr;
  const unit::Shared<Memory> memory;
  shared = &memory;
  const CountingProgram program([] {
    static const bool installed = ::signal(SIGRTMIN, [](int) { ++(**shared).delivered; }) != SIG_ERR;
    return installed;
  });
  ASSERT_TRUE(program.runs());
  std::atomic<bool> ends{false};
  int sent = 0;
  std::thread sender([&] {
    // Signals wait all the time, so that one is often about to be delivered when the thread is seized.
    constexpr int most_waiting = 64;
    while (!ends) {
      if (sent - memory->delivered < most_waiting && ::sigqueue(program.process(), SIGRTMIN, {}) == 0) ++sent;
    }
  });
  for (int i = 0; i < 300; ++i) {
    ThreadFreezer freezer;
    freeze(freezer, program.process());
    freezer.thaw();
  }
  ends = true;
  sender.join();
  EXPECT_TRUE(eventually([&] { return memory->delivered == sent; }))
      << memory->delivered << " of " << sent << " signals were delivered";
}
#endif

TEST(ThreadFreezer, KilledThreadIsNoLongerListed) {
  CountingProgram program;
  ThreadFreezer freezer;
  freeze(freezer, program.process());
  ::kill(program.process(), SIGKILL);
  EXPECT_TRUE(eventually([&] {
    freezer.collect();
    return freezer.size() == 0;
  }));
  int status = 0;
  EXPECT_EQ(::waitpid(program.process(), &status, WNOHANG), program.process())
      << "the end of a child process belongs to the code that started it";
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(ThreadFreezer, ParentSeesEndOfKilledProgramButNoStop) {
  struct Memory {
    std::atomic<pid_t> program{0};
    std::atomic<int> stops{0};
  };
  static std::atomic<int>* stops = nullptr;
  const unit::Shared<Memory> memory;
  stops = &memory->stops;
  ChildProcess parent([&] {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      if (info->si_code == CLD_STOPPED || info->si_code == CLD_TRAPPED) ++*stops;
    };
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigaction(SIGCHLD, &action, nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
      unit::wait_to_be_killed();
    }
    memory->program = child;
    int status = 0;
    if (::waitpid(child, &status, WUNTRACED) != child) return 1;
    return WIFSIGNALED(status) ? 0 : 2;
  });
  ASSERT_TRUE(eventually([&] { return memory->program != 0; }));
  ThreadFreezer freezer;
  freeze(freezer, memory->program);
  ::kill(memory->program, SIGKILL);
  EXPECT_TRUE(eventually([&] {
    freezer.collect();
    return freezer.size() == 0;
  }));
  EXPECT_EQ(parent.wait(), 0);
  EXPECT_EQ(memory->stops, 0);
}

TEST(ThreadFreezer, KilledTracerReleasesThread) {
  const CountingProgram program;
  ASSERT_TRUE(program.runs());
  const unit::Pipe frozen;
  ChildProcess daemon([&]() -> int {
    ThreadFreezer freezer;
    freeze(freezer, program.process());
    frozen.put('f');
    unit::wait_to_be_killed();
  });
  ASSERT_EQ(frozen.get(), 'f');
  ASSERT_EQ(state_of(program.process()), 't');
  daemon.kill();
  EXPECT_TRUE(program.runs());
}
