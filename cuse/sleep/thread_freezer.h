#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <vector>

namespace cuse {

/// Threads of other processes that are stopped with ptrace(2), as the kernel's freezer wants them: a stop by
/// a tracer counts as frozen, and no parent gets a SIGCHLD for it.
///
/// Use each object on one thread, because the kernel's tracer is a thread and not a process. When that thread
/// or the process ends, the kernel lets all of them run again (exit_ptrace()), also those that have not
/// stopped yet.
class ThreadFreezer {
 public:
  enum class Attempt {
    interrupted,  ///< the thread stops when it leaves the kernel
    ended,
    traced,  ///< by another tracer; the thread is left alone
    denied,  ///< this process may not trace the thread
  };

  ThreadFreezer() = default;
  ThreadFreezer(const ThreadFreezer&) = delete;
  ThreadFreezer& operator=(const ThreadFreezer&) = delete;
  /// Lets the threads run.
  ~ThreadFreezer() { thaw(); }

  /// Makes `thread` stop, and returns without waiting for it. A thread that is stopped by a signal stays so.
  Attempt interrupt(pid_t thread);
  /// Takes notice of the threads that have stopped or ended since the last call, and reaps those that ended,
  /// because their process cannot end before. Does not block.
  void collect();

  [[nodiscard]] bool has(pid_t thread) const { return threads_.contains(thread); }
  [[nodiscard]] size_t size() const { return threads_.size(); }
  /// Returns the threads that were interrupted and have not stopped yet.
  [[nodiscard]] std::vector<pid_t> running() const;

  /// Lets the stopped threads go on, each with the signal that it was about to receive. A thread that has not
  /// stopped yet is released by the end of the calling thread.
  void thaw();

 private:
  struct Thread {
    bool stopped = false;
    int signal = 0;  ///< the signal that the thread was about to receive when it stopped, or 0
  };
  std::map<pid_t, Thread> threads_;
};

}  // namespace cuse
