#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <system_error>

#include "base/epoll.h"
#include "base/mutex.h"
#include "base/result.h"
#include "cuse/session/work_queue.h"
#include "cuse/session/worker_threads.h"

struct fuse_session;

namespace cuse {

/// The cause of a session's end.
struct SessionEnd {
  enum class Cause {
    stopped,        ///< by stop()
    closed,         ///< the kernel closed the connection: a forced unmount, or an abort
    out_of_memory,  ///< no thread had memory to receive a request
    failed,         ///< the channel, or the wait for it, failed with `error`
  };
  Cause cause = Cause::stopped;
  std::error_code error = {};
};

/// Returns the log line for a session that ended without stop(); `mount` is the served path.
[[nodiscard]] std::string describe(const SessionEnd& end, const std::string& mount);

/// The threads that answer the requests of one libfuse session.
///
/// A thread that is about to handle a request starts a further thread if no other is free. So a slow request
/// does not delay others. If no further thread can be made, the existing threads continue alone. Other
/// threads post their answers to these threads.
class SessionThreads {
 public:
  /// Maximum number of threads beside that of run(). If requests block all of them, further requests wait.
  static constexpr size_t most_workers = 64;

  /// `name` is the name of the threads, at most 15 characters.
  explicit SessionThreads(std::string name, ThreadSpawner spawn = spawn_thread);
  SessionThreads(const SessionThreads&) = delete;
  SessionThreads& operator=(const SessionThreads&) = delete;
  ~SessionThreads() { mailbox_->close(); }

  /// Makes the first thread's epoll, on the thread that calls run(). The session's channel must not block.
  /// Throws std::system_error with a sentence.
  void prepare(fuse_session& session);
  /// Serves on the calling thread, and on others that end before it returns. Returns after stop(), or when no
  /// thread can serve any more.
  SessionEnd run() BASE_EXCLUDES(end_mutex_);
  /// Makes run() return after all posted work. Thread-safe.
  void stop() BASE_EXCLUDES(end_mutex_);

  /// Queues `work` for the threads; an exception that it throws is logged. Thread-safe.
  void post(std::shared_ptr<Work> work) noexcept { mailbox_->post(std::move(work)); }
  /// Returns the queue of post(), which may be used after the end of this object.
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  /// Returns the descriptor that other threads write to. It must be open under this number on run()'s thread.
  [[nodiscard]] int wake_descriptor() const { return mailbox_->descriptor(); }

  /// Returns the number of threads beside that of run().
  [[nodiscard]] size_t size() const { return workers_.size(); }

 private:
  [[nodiscard]] std::unique_ptr<const base::Epoll> make_worker_epoll() const;
  void serve(const base::Epoll& epoll);
  [[nodiscard]] SessionEnd serve_until_failure(const base::Epoll& epoll);
  [[nodiscard]] base::Result<void> wait_for_work(const base::Epoll& epoll);
  [[nodiscard]] bool stop_being_free();
  [[nodiscard]] base::Result<void> wait_for_memory();
  void do_posted_work();
  void start_worker_if_none_is_free();
  [[nodiscard]] WorkerThreads::Body make_worker();
  bool run_posted();
  void end(const SessionEnd& end) BASE_EXCLUDES(end_mutex_);

  std::string name_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  fuse_session* session_ = nullptr;
  std::unique_ptr<const base::Epoll> first_epoll_;
  std::atomic<bool> stopping_{false};
  base::Mutex end_mutex_;
  SessionEnd end_ BASE_GUARDED_BY(end_mutex_);  ///< the cause that came first
  std::atomic<int> free_workers_{0};
  std::atomic<int> serving_{0};
  std::atomic<bool> thread_loss_logged_{false};
  WorkerThreads workers_;
};

}  // namespace cuse
