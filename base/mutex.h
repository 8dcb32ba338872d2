#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/thread_annotations.h"

namespace base {

/// A std::mutex that Clang's thread-safety analysis follows (the one of libstdc++ has no annotations).
class BASE_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  ~Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  /// Acquires the mutex; blocks while another thread holds it.
  void lock() BASE_ACQUIRE() { mutex_.lock(); }
  /// Releases the mutex.
  void unlock() BASE_RELEASE() { mutex_.unlock(); }
  /// Acquires the mutex if no thread holds it. Returns true if it did.
  [[nodiscard]] bool try_lock() BASE_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class ConditionVariable;

  std::mutex mutex_;
};

/// The hold of a Mutex for the length of a scope. It can be released and acquired again in between.
class BASE_SCOPED_CAPABILITY MutexLock {
 public:
  /// Acquires `mutex`, which must outlive the lock.
  explicit MutexLock(Mutex& mutex) BASE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() BASE_RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  /// Acquires the mutex again after unlock().
  void lock() BASE_ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }
  /// Releases the mutex before the scope ends.
  void unlock() BASE_RELEASE() {
    held_ = false;
    mutex_.unlock();
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// A std::condition_variable for Mutex. Its waits take no predicate, because the analysis does not see which
/// mutex a lambda holds: callers loop, as in `while (queue_.empty()) filled_.wait(mutex_);`.
class ConditionVariable {
 public:
  /// Releases `mutex`, waits for a notification (or wakes without one), and acquires `mutex` again.
  void wait(Mutex& mutex) BASE_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// Does the same until `deadline`. Returns false if that has passed.
  template <typename Clock, typename Duration>
  bool wait_until(Mutex& mutex, std::chrono::time_point<Clock, Duration> deadline) BASE_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  /// Wakes one waiting thread.
  void notify_one() { condition_.notify_one(); }
  /// Wakes all waiting threads.
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace base
