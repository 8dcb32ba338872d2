#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "cuse/session/work_queue.h"
#include "cuse/session/worker_threads.h"

namespace cuse {

/// The threads that touch programs' memory, which may take as long as a program wants: a page of it may lie
/// in the framebuffer itself, and then has to be read from us first, or is being written back to us.
///
/// They have nothing to do with the FUSE channel. A thread that had it open while it waits for a page of the
/// framebuffer would keep the connection alive when the process is killed, and wait for itself. And since the
/// threads that serve the channel never touch a program's memory, one of them is always there to deliver the
/// page.
class IoctlWorkers {
 public:
  /// So many programs can hold up a thread each before the others' ioctls wait.
  static constexpr size_t most_workers = 256;

  /// Starts the first thread; it has the caller's table of descriptors, and so have all the others. Throws
  /// std::system_error with a sentence if it cannot be made.
  explicit IoctlWorkers(ThreadSpawner spawn = spawn_thread);
  ~IoctlWorkers();
  IoctlWorkers(const IoctlWorkers&) = delete;
  IoctlWorkers& operator=(const IoctlWorkers&) = delete;

  /// Has `work` done; an exception of it is logged. Thread-safe.
  void post(std::shared_ptr<Work> work) noexcept;
  /// Waits until all work is done, at most so long; false where some is still under way. Further work is
  /// dropped.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout);

  [[nodiscard]] size_t size() const { return workers_.size(); }

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable work_came_;
  WorkQueue work_;
  size_t free_workers_ = 0;
  bool stopping_ = false;
  WorkerThreads workers_;
};

}  // namespace cuse
