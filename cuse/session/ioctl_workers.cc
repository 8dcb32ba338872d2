#include "cuse/session/ioctl_workers.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <utility>

#include "cuse/service/failure_report.h"

namespace cuse {

IoctlWorkers::IoctlWorkers(ThreadSpawner spawn) : workers_("program", most_workers, std::move(spawn)) {
  try {
    workers_.start_first([this] { serve(); });
  } catch (const std::system_error& error) {
    throw no_thread(error, "the ioctls of programs");
  }
}

IoctlWorkers::~IoctlWorkers() {
  constexpr std::chrono::seconds timeout{5};
  if (stop(timeout)) return;
  // A running thread would use destroyed objects.
  spdlog::critical("a thread waits for a program's memory; ending the process to end that wait");
  std::_Exit(EXIT_FAILURE);
}

void IoctlWorkers::post(std::shared_ptr<Work> work) noexcept {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  work_.push(std::move(work));
  work_posted_.notify_one();
}

bool IoctlWorkers::stop(std::chrono::milliseconds timeout) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_posted_.notify_all();
  }
  return workers_.wait_for_end(timeout);
}

void IoctlWorkers::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++free_workers_;
    work_posted_.wait(lock, [this] { return !work_.empty() || stopping_; });
    --free_workers_;
    std::shared_ptr<Work> work = work_.pop();
    if (!work) return;
    const bool none_is_free = free_workers_ == 0;
    lock.unlock();
    // Only these threads start further ones, so that all have the same table of descriptors.
    if (none_is_free) workers_.start([this] { return [this] { serve(); }; });
    try {
      work->run();
    } catch (...) {
      report_current_exception("an ioctl");
    }
    work.reset();
    lock.lock();
  }
}

}  // namespace cuse
