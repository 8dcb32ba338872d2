#pragma once

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "cuse/session/work_queue.h"
#include "cuse/session/worker_threads.h"

namespace unit {

/// Work made of a function.
class FunctionWork final : public cuse::Work {
 public:
  explicit FunctionWork(std::function<void()> function) : function_(std::move(function)) {}
  void run() override { function_(); }

 private:
  std::function<void()> function_;
};

[[nodiscard]] inline std::shared_ptr<cuse::Work> work(std::function<void()> function) {
  return std::make_shared<FunctionWork>(std::move(function));
}

/// A gate that blocks threads until it is opened, at the latest by its destructor.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { open(); }

  void pass() {
    ++waiting_;
    opened_.wait();
    --waiting_;
  }
  void open() {
    if (!open_.exchange(true)) promise_.set_value();
  }
  [[nodiscard]] int waiting() const { return waiting_; }

 private:
  std::promise<void> promise_;
  std::shared_future<void> opened_ = promise_.get_future().share();
  std::atomic<bool> open_{false};
  std::atomic<int> waiting_{0};
};

/// A spawner that starts `left` threads, then fails as with RLIMIT_NPROC.
struct LimitedSpawner {
  std::atomic<int> left{0};
  std::atomic<int> refused{0};

  [[nodiscard]] cuse::ThreadSpawner spawner() {
    return [this](std::function<void()> body) {
      if (left.fetch_sub(1) <= 0) {
        left = 0;
        ++refused;
        throw std::system_error(EAGAIN, std::generic_category());
      }
      return cuse::spawn_thread(std::move(body));
    };
  }
};

}  // namespace unit
