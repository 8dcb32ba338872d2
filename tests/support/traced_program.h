#pragma once

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>

#include "cuse/service/thread_status.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/shared_memory.h"

namespace unit {

/// Returns the state of a thread as in proc(5): 't' if its tracer has stopped it; '-' if it does not exist.
inline char state_of(pid_t thread) {
  const auto status = cuse::read_thread_status(thread);
  return status ? status->state : '-';
}

inline bool has_state(pid_t thread, char state) {
  return eventually([&] { return state_of(thread) == state; });
}

/// A child process that counts its steps forever, in memory that the test reads.
class CountingProgram {
 public:
  /// `step` runs before each count, in the child. It returns false if something failed there.
  explicit CountingProgram(std::function<bool()> step = [] { return true; })
      : child_([this, step = std::move(step)] {
          // Lets any process trace it, also on systems where Yama allows that to ancestors only.
          ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
          for (;;) {
            if (!step()) ++memory_->failures;
            ++memory_->steps;
          }
          return 0;
        }) {}

  [[nodiscard]] pid_t process() const { return child_.process(); }
  [[nodiscard]] ChildProcess& child() { return child_; }
  [[nodiscard]] uint64_t steps() const { return memory_->steps; }
  [[nodiscard]] uint64_t failures() const { return memory_->failures; }
  /// Waits until the program makes progress.
  [[nodiscard]] bool runs() const {
    const uint64_t before = steps();
    return eventually([&] { return steps() > before; });
  }

 private:
  struct Memory {
    std::atomic<uint64_t> steps{0};
    std::atomic<uint64_t> failures{0};
  };
  Shared<Memory> memory_;
  ChildProcess child_;
};

}  // namespace unit
