#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "cuse/session/libfuse.h"
#include "cuse/session/session_threads.h"
#include "tests/support/kernel_double.h"

namespace unit {

/// A libfuse session with the test as its kernel. The given operations answer the requests.
class ServedSession {
 public:
  ServedSession() = default;
  ServedSession(const ServedSession&) = delete;
  ServedSession& operator=(const ServedSession&) = delete;
  ~ServedSession() {
    end();
    if (session_ != nullptr) ::fuse_session_destroy(session_);
  }

  void make_session(const fuse_lowlevel_ops& operations, void* user_data) {
    std::string name = "test";
    char* arguments = name.data();
    fuse_args args = FUSE_ARGS_INIT(1, &arguments);
    session_ = ::fuse_session_new(&args, &operations, sizeof operations, user_data);
    ::fuse_opt_free_args(&args);
    ASSERT_NE(session_, nullptr);
    base::UniqueFd channel = kernel.take_channel();
    const std::string path = "/dev/fd/" + std::to_string(channel.get());
    ASSERT_EQ(::fuse_session_mount(session_, path.c_str()), 0);
    static_cast<void>(channel.release());
  }
  /// Runs `threads` on a thread of its own, and completes FUSE_INIT.
  void serve(cuse::SessionThreads& threads) {
    threads_ = &threads;
    threads.prepare(*session_);
    run(threads);
    EXPECT_EQ(kernel.ask(FUSE_INIT, KernelDouble::init_request()).error, 0);
  }
  void run(cuse::SessionThreads& threads) {
    threads_ = &threads;
    std::promise<cuse::SessionEnd> ended;
    ended_ = ended.get_future();
    thread_ = std::thread([&threads, ended = std::move(ended)]() mutable { ended.set_value(threads.run()); });
  }
  /// Waits until the session ends without end(). Returns the cause.
  cuse::SessionEnd wait_for_end() {
    if (ended_.wait_for(timeout) != std::future_status::ready) {
      ADD_FAILURE() << "the session did not end";
      threads_->stop();
    }
    const cuse::SessionEnd end = ended_.get();
    thread_.join();
    return end;
  }
  void end() {
    if (!thread_.joinable()) return;
    threads_->stop();
    static_cast<void>(wait_for_end());
  }
  [[nodiscard]] fuse_session& session() { return *session_; }

  KernelDouble kernel;

 private:
  fuse_session* session_ = nullptr;
  cuse::SessionThreads* threads_ = nullptr;
  std::thread thread_;
  std::future<cuse::SessionEnd> ended_;
};

}  // namespace unit
