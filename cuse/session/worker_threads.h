#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace cuse {

/// Starts a thread; throws std::system_error if none can be made. Tests put in one that fails.
using ThreadSpawner = std::function<std::thread(std::function<void()> body)>;

/// Starts a std::thread.
[[nodiscard]] std::thread spawn_thread(std::function<void()> body);

/// The error of a start that needs a thread and got none: a sentence that says for what, and which limits to
/// raise.
[[nodiscard]] std::system_error no_thread(const std::system_error& error, const std::string& purpose);

/// A number of threads that grows when asked. They are counted and not joined, since one that waits for a
/// program's memory cannot be joined. Thread-safe.
///
/// If no further thread can be made (RLIMIT_NPROC, pids.max, memory), those that are there go on alone.
class WorkerThreads {
 public:
  using Body = std::function<void()>;

  /// `name` is that of the threads, at most 15 characters; `most` is the largest number of them.
  WorkerThreads(std::string name, size_t most, ThreadSpawner spawn);

  /// Starts a thread without which there is no start. Throws std::system_error with a sentence.
  void start_first(Body body);
  /// Starts one more that runs what `make_body` returns. False if there are as many as may be, or if it
  /// fails, which is logged once until it works again.
  bool start(const std::function<Body()>& make_body) noexcept;

  /// Waits until every thread has ended, at most so long; false if one is left.
  [[nodiscard]] bool wait_for_end(std::chrono::milliseconds limit);
  void wait_for_end();
  [[nodiscard]] size_t size() const;

 private:
  void spawn(Body body);

  std::string name_;
  size_t most_;
  ThreadSpawner spawn_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  size_t size_ = 0;
  bool failing_ = false;  ///< the last start failed, and the log says so
};

}  // namespace cuse
