#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <system_error>
#include <thread>

#include "base/mutex.h"

namespace cuse {

/// A function that starts a thread. Throws std::system_error if no thread can be made. Tests use one that
/// fails.
using ThreadSpawner = std::function<std::thread(std::function<void()> body)>;

/// Starts a std::thread.
[[nodiscard]] std::thread spawn_thread(std::function<void()> body);

/// Returns the error for a thread that could not be started: a sentence with the thread's purpose and the
/// limits to raise.
[[nodiscard]] std::system_error no_thread(const std::system_error& error, const std::string& purpose);

/// A pool of threads that grows on request. The threads are counted and not joined, because a thread that
/// waits for a program's memory cannot be joined. Thread-safe.
///
/// If no further thread can be made (RLIMIT_NPROC, pids.max, memory), the existing threads continue alone.
class WorkerThreads {
 public:
  using Body = std::function<void()>;

  /// `name` is the name of the threads, at most 15 characters; `most` is their maximum number.
  WorkerThreads(std::string name, size_t most, ThreadSpawner spawn);

  /// Starts the first thread, which is required. Throws std::system_error.
  void start_first(Body body) BASE_EXCLUDES(mutex_);
  /// Starts a further thread that runs the result of `make_body`. Returns false at the maximum number, or if
  /// the start fails, which is logged once until a start succeeds again.
  bool start(const std::function<Body()>& make_body) noexcept BASE_EXCLUDES(mutex_);

  /// Waits until every thread has ended, at most for `limit`. Returns false if one still runs.
  [[nodiscard]] bool wait_for_end(std::chrono::milliseconds limit) BASE_EXCLUDES(mutex_);
  void wait_for_end() BASE_EXCLUDES(mutex_);
  [[nodiscard]] size_t size() const BASE_EXCLUDES(mutex_);

 private:
  void spawn(Body body) BASE_EXCLUDES(mutex_);

  std::string name_;
  size_t most_;
  ThreadSpawner spawn_;
  mutable base::Mutex mutex_;
  base::ConditionVariable ended_;
  size_t size_ BASE_GUARDED_BY(mutex_) = 0;
  /// True if the last start failed and this was logged.
  bool failing_ BASE_GUARDED_BY(mutex_) = false;
};

}  // namespace cuse
