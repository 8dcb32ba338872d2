#pragma once

#include <memory>
#include <utility>

#include "base/event_fd.h"
#include "base/mutex.h"

namespace cuse {

/// Work for another thread. Queueing it allocates nothing, because an answer must arrive even if memory is
/// short.
class Work {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;
  virtual void run() = 0;

 private:
  friend class WorkQueue;
  std::shared_ptr<Work> next_;
};

/// A first-in, first-out queue. A piece of work is in one queue at a time. Not thread-safe.
class WorkQueue {
 public:
  WorkQueue() = default;
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue() {
    // A chain of pointers would be destroyed by recursion.
    while (pop()) {
    }
  }

  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  void push(std::shared_ptr<Work> work) noexcept {
    Work* const pushed = work.get();
    (last_ == nullptr ? first_ : last_->next_) = std::move(work);
    last_ = pushed;
  }
  /// Removes and returns the oldest work; null if there is none.
  std::shared_ptr<Work> pop() noexcept {
    std::shared_ptr<Work> work = std::move(first_);
    if (work) first_ = std::move(work->next_);
    if (!first_) last_ = nullptr;
    return work;
  }

 private:
  std::shared_ptr<Work> first_;
  Work* last_ = nullptr;
};

/// The queue of work for a session's threads, with the event that wakes them. Posting threads share its
/// ownership, so posting after the end of the session is harmless. Thread-safe.
class Mailbox {
 public:
  void post(std::shared_ptr<Work> work) noexcept BASE_EXCLUDES(mutex_) {
    {
      const base::MutexLock lock(mutex_);
      if (closed_) return;  // `work` is destroyed by the caller, without the lock
      queue_.push(std::move(work));
    }
    wake();
  }
  /// Removes and returns the oldest work; null if there is none. Wakes a further thread if more is queued.
  std::shared_ptr<Work> take() noexcept BASE_EXCLUDES(mutex_) {
    std::shared_ptr<Work> work;
    bool has_more = false;
    {
      const base::MutexLock lock(mutex_);
      work = queue_.pop();
      has_more = !queue_.empty();
    }
    if (has_more) wake();
    return work;
  }
  /// Drops the queued work and all later work. The destructor of dropped work may post.
  void close() noexcept BASE_EXCLUDES(mutex_) {
    {
      const base::MutexLock lock(mutex_);
      closed_ = true;
    }
    while (take()) {
    }
  }
  void wake() const noexcept { event_.signal(); }
  void clear_wake() const noexcept { event_.clear(); }
  /// Returns the descriptor that is readable after wake().
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  base::EventFd event_;
  base::Mutex mutex_;
  WorkQueue queue_ BASE_GUARDED_BY(mutex_);
  bool closed_ BASE_GUARDED_BY(mutex_) = false;
};

}  // namespace cuse
