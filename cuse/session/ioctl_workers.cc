#include "cuse/session/ioctl_workers.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <utility>

#include "cuse/service/failure_report.h"
#include "cuse/service/process_end.h"

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
  end_process(EXIT_FAILURE);
}

void IoctlWorkers::post(std::shared_ptr<Work> work) noexcept {
  const base::MutexLock lock(mutex_);
  if (stopping_) return;
  work_.push(std::move(work));
  work_posted_.notify_one();
}

bool IoctlWorkers::stop(std::chrono::milliseconds timeout) {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
    work_posted_.notify_all();
  }
  return workers_.wait_for_end(timeout);
}

void IoctlWorkers::serve() {
  for (;;) {
    const Taken taken = wait_for_work();
    if (!taken.work) return;
    // Only these threads start further ones, so that all have the same table of descriptors.
    if (taken.none_is_free) workers_.start([this] { return [this] { serve(); }; });
    try {
      taken.work->run();
    } catch (...) {
      report_current_exception("an ioctl");
    }
  }
}

IoctlWorkers::Taken IoctlWorkers::wait_for_work() {
  const base::MutexLock lock(mutex_);
  ++free_workers_;
  while (work_.empty() && !stopping_) work_posted_.wait(mutex_);
  --free_workers_;
  return {work_.pop(), free_workers_ == 0};
}

}  // namespace cuse
