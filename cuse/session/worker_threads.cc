#include "cuse/session/worker_threads.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

#include "cuse/service/failure_report.h"

namespace cuse {

std::thread spawn_thread(std::function<void()> body) {
  return std::thread(std::move(body));
}

std::system_error no_thread(const std::system_error& error, const std::string& purpose) {
  return {error.code(), "cannot start the thread for " + purpose +
                            " (raise the limit of processes: ulimit -u, or TasksMax= of the unit)"};
}

WorkerThreads::WorkerThreads(std::string name, size_t most, ThreadSpawner spawn)
    : name_(std::move(name)), most_(most), spawn_(std::move(spawn)) {}

void WorkerThreads::start_first(Body body) {
  {
    const base::MutexLock lock(mutex_);
    ++size_;
  }
  try {
    spawn(std::move(body));
  } catch (...) {
    const base::MutexLock lock(mutex_);
    --size_;
    throw;
  }
}

bool WorkerThreads::start(const std::function<Body()>& make_body) noexcept {
  {
    const base::MutexLock lock(mutex_);
    if (size_ >= most_) return false;
    ++size_;
  }
  try {
    spawn(make_body());
    const base::MutexLock lock(mutex_);
    failing_ = false;
    return true;
  } catch (...) {
    size_t left = 0;
    bool first = false;
    {
      const base::MutexLock lock(mutex_);
      left = --size_;
      first = !std::exchange(failing_, true);
      ended_.notify_all();
    }
    if (!first) return false;
    try {
      throw;
    } catch (const std::system_error& error) {
      spdlog::warn(
          "cannot start a further thread \"{}\" beside {}: {}; continuing without it (raise the limits of "
          "processes and open files: TasksMax= and LimitNOFILE= of the unit)",
          name_, left, error.what());
    } catch (...) {
      report_current_exception("the start of a thread");
    }
    return false;
  }
}

/// Starts a thread that has already been counted.
void WorkerThreads::spawn(Body body) {
  spawn_([this, body = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name_.c_str());
    try {
      body();
    } catch (...) {
      report_current_exception(name_.c_str());
    }
    const base::MutexLock lock(mutex_);
    --size_;
    // With the lock held, because the waiting thread destroys this object afterwards.
    ended_.notify_all();
  }).detach();
}

bool WorkerThreads::wait_for_end(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const base::MutexLock lock(mutex_);
  while (size_ != 0) {
    if (!ended_.wait_until(mutex_, deadline)) return size_ == 0;
  }
  return true;
}

void WorkerThreads::wait_for_end() {
  const base::MutexLock lock(mutex_);
  while (size_ != 0) ended_.wait(mutex_);
}

size_t WorkerThreads::size() const {
  const base::MutexLock lock(mutex_);
  return size_;
}

}  // namespace cuse
