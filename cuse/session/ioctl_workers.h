#pragma once

#include <chrono>
#include <memory>

#include "base/mutex.h"
#include "cuse/session/work_queue.h"
#include "cuse/session/worker_threads.h"

namespace cuse {

/// The threads that access programs' memory. An access may block for as long as a program wants: a page may
/// lie in the framebuffer itself, so the daemon has to serve it first, or is receiving its writeback.
///
/// These threads do not have the FUSE channel open. Otherwise a thread that waits for a page of the
/// framebuffer would, when the process is killed, keep the connection alive and wait for itself. The threads
/// that serve the channel never access a program's memory, so one of them is always free to deliver the page.
class IoctlWorkers {
 public:
  /// Maximum number of threads. If programs block all of them, further ioctls wait.
  static constexpr size_t most_workers = 256;

  /// Starts the first thread; all threads have the caller's table of descriptors. Throws std::system_error
  /// with a sentence if no thread can be made.
  explicit IoctlWorkers(ThreadSpawner spawn = spawn_thread);
  ~IoctlWorkers();
  IoctlWorkers(const IoctlWorkers&) = delete;
  IoctlWorkers& operator=(const IoctlWorkers&) = delete;

  /// Queues `work`; an exception that it throws is logged. Thread-safe.
  void post(std::shared_ptr<Work> work) noexcept BASE_EXCLUDES(mutex_);
  /// Waits until all work is done, at most for `timeout`. Returns false if work is still in progress. Further
  /// work is dropped.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout) BASE_EXCLUDES(mutex_);

  [[nodiscard]] size_t size() const { return workers_.size(); }

 private:
  /// Work taken from the queue, and whether its thread was the last free one.
  struct Taken {
    std::shared_ptr<Work> work;  ///< null at the end of the thread
    bool none_is_free = false;
  };

  void serve() BASE_EXCLUDES(mutex_);
  [[nodiscard]] Taken wait_for_work() BASE_EXCLUDES(mutex_);

  base::Mutex mutex_;
  base::ConditionVariable work_posted_;
  WorkQueue work_ BASE_GUARDED_BY(mutex_);
  size_t free_workers_ BASE_GUARDED_BY(mutex_) = 0;
  bool stopping_ BASE_GUARDED_BY(mutex_) = false;
  WorkerThreads workers_;
};

}  // namespace cuse
