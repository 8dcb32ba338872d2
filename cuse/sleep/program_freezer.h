#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "cuse/sleep/framebuffer_programs.h"
#include "cuse/sleep/thread_freezer.h"

namespace cuse {

/// The result of a freeze.
struct FreezeReport {
  enum class Reason {
    traced,       ///< another process traces the program, and stops it if it wants
    denied,       ///< the daemon may not trace the program
    not_stopped,  ///< a thread of the program did not stop in time
  };
  /// A program that is not frozen.
  struct Exception {
    pid_t process = 0;
    std::string name;
    Reason reason = Reason::not_stopped;
  };

  size_t programs = 0;  ///< number of frozen programs
  size_t threads = 0;   ///< number of their threads
  std::vector<Exception> exceptions;
};

/// Returns the reason as a sentence without its subject, such as "did not stop within a second".
[[nodiscard]] std::string describe(FreezeReport::Reason reason);

/// Stops the programs that use the framebuffer while the machine goes to sleep.
///
/// A program that waits for a FUSE answer cannot be frozen by the kernel, and the daemon, if it is frozen
/// first, does not answer: the kernel gives the sleep up after 20 s. So the programs are stopped before,
/// while the daemon still answers what they wait for. They run again at thaw(), after `thaw_timeout`, or when
/// the daemon ends, however it ends.
///
/// A thread exists from freeze() until the programs run again. All calls of ptrace(2) come from it, and its
/// end releases every program. Thread-safe.
class ProgramFreezer {
 public:
  struct Options {
    FramebufferFiles files;
    /// Processes beside this one that are never frozen: the daemon's others.
    std::vector<pid_t> own_processes;
    std::chrono::milliseconds stop_timeout{1000};
    /// On CLOCK_MONOTONIC, which does not count the sleep.
    std::chrono::milliseconds thaw_timeout{60'000};
  };

  explicit ProgramFreezer(Options options) : options_(std::move(options)) {}
  ProgramFreezer(const ProgramFreezer&) = delete;
  ProgramFreezer& operator=(const ProgramFreezer&) = delete;
  /// Lets the programs run.
  ~ProgramFreezer();

  /// Stops all programs that use the framebuffer, and logs those that cannot be stopped. If programs are
  /// frozen already, stops the further ones, and restarts `thaw_timeout`. Throws std::system_error with a
  /// sentence if no thread can be made, std::runtime_error if a thaw comes meanwhile or /proc blocks.
  FreezeReport freeze();
  /// Lets the programs run. Returns false if none were frozen.
  bool thaw();
  /// Does the same at the end of the daemon; a freeze that comes later throws. Returns false if the thread
  /// does not end in time, because /proc blocks it.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

 private:
  enum class State {
    idle,      ///< no program is frozen, and no thread runs
    freezing,  ///< the thread looks for programs and stops them
    frozen,
    thawing,  ///< the thread ends
  };
  using Time = std::chrono::steady_clock::time_point;

  void begin_freeze() BASE_REQUIRES(mutex_);
  [[nodiscard]] bool end_thread(Time deadline) BASE_REQUIRES(mutex_);
  void run();
  void serve(ThreadFreezer& threads);
  [[nodiscard]] FreezeReport freeze_programs(ThreadFreezer& threads);
  [[nodiscard]] bool is_thawing();
  void log(const FreezeReport& report);

  const Options options_;
  base::Mutex mutex_;
  base::ConditionVariable changed_;
  State state_ BASE_GUARDED_BY(mutex_) = State::idle;
  bool stopped_ BASE_GUARDED_BY(mutex_) = false;                ///< True after stop()
  std::optional<FreezeReport> report_ BASE_GUARDED_BY(mutex_);  ///< of the last freeze, once it is done
  std::atomic<bool> denial_logged_{false};
  std::thread thread_ BASE_GUARDED_BY(mutex_);
};

}  // namespace cuse
