#include "cuse/program_threads.h"

#include <pthread.h>

#include <cstdlib>
#include <thread>

namespace cuse {
namespace {

/// So many programs can hold up a thread each before the others' ioctls wait.
constexpr size_t most_workers = 256;

}  // namespace

ProgramThreads::ProgramThreads() {
  const std::lock_guard lock(mutex_);
  ++workers_;
  // Not joined but counted: one that waits for a program's memory cannot be joined.
  std::thread([this] { serve(); }).detach();
}

ProgramThreads::~ProgramThreads() {
  constexpr std::chrono::seconds patience{5};
  // A thread that is still there would use what goes now.
  if (!stop(patience)) std::_Exit(EXIT_FAILURE);
}

void ProgramThreads::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  work_.push_back(std::move(work));
  work_came_.notify_one();
}

bool ProgramThreads::stop(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_came_.notify_all();
  return worker_ended_.wait_for(lock, patience, [this] { return workers_ == 0; });
}

void ProgramThreads::serve() {
  ::pthread_setname_np(::pthread_self(), "program");
  std::unique_lock lock(mutex_);
  for (;;) {
    ++free_workers_;
    work_came_.wait(lock, [this] { return !work_.empty() || stopping_; });
    --free_workers_;
    if (work_.empty()) break;
    const std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    // Threads are started by these threads only, so that all have the same table of descriptors.
    if (free_workers_ == 0 && workers_ < most_workers) {
      ++workers_;
      std::thread([this] { serve(); }).detach();
    }
    lock.unlock();
    work();
    lock.lock();
  }
  --workers_;
  worker_ended_.notify_all();
}

}  // namespace cuse
