#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "drmclient/unique_fd.h"

struct fuse_session;

namespace cuse {

/// The threads that answer the requests of one libfuse session.
///
/// One that is about to handle a request while no other is free starts a further one, so that a program whose
/// memory is slow to reach (it may lie in the framebuffer itself) holds up no one else. Answers that come
/// from other threads are posted to them.
class SessionThreads {
 public:
  /// `name` is that of the threads, at most 15 characters.
  explicit SessionThreads(std::string name);
  SessionThreads(const SessionThreads&) = delete;
  SessionThreads& operator=(const SessionThreads&) = delete;
  ~SessionThreads() = default;

  /// Serves on the calling thread, and on others that end before it returns. The session's channel must not
  /// block. Returns after stop(), or when the connection is gone: false where nobody had called stop().
  bool run(fuse_session& session);
  /// Makes run() return once what was posted is done. Thread-safe.
  void stop();

  /// Has `work` done by one of the threads. Thread-safe.
  void post(std::function<void()> work);

  /// What other threads write to; must be open under this number where run() is.
  [[nodiscard]] int wake_descriptor() const { return wake_event_.get(); }

 private:
  void serve();
  [[nodiscard]] drmclient::UniqueFd make_worker_epoll() const;
  void wait_for_work(const drmclient::UniqueFd& epoll);
  void start_worker_if_none_is_free();
  bool run_posted();

  std::string name_;
  drmclient::UniqueFd wake_event_;
  fuse_session* session_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> connection_gone_{false};
  std::atomic<int> free_workers_{0};

  std::mutex mutex_;
  std::vector<std::thread> workers_;
  std::deque<std::function<void()>> posted_;
};

}  // namespace cuse
