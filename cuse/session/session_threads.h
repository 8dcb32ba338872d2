#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/unique_fd.h"
#include "cuse/session/work_queue.h"
#include "cuse/session/worker_threads.h"

struct fuse_session;

namespace cuse {

/// Why a session ended.
struct SessionEnd {
  enum class Cause {
    stopped,        ///< by stop()
    closed,         ///< the kernel closed the connection: an unmount by force, or an abort
    out_of_memory,  ///< no thread had memory to receive a request
    failed,         ///< the channel, or the wait for it, failed with `error`
  };
  Cause cause = Cause::stopped;
  int error = 0;
};

/// The line of the log about a session that ended without stop(); `mount` is the path that it served.
[[nodiscard]] std::string describe(const SessionEnd& end, const std::string& mount);

/// The threads that answer the requests of one libfuse session.
///
/// One that is about to handle a request while no other is free starts a further one, so that a request that
/// takes long holds up no one else. If no further one can be made, those that are there go on. Answers that
/// come from other threads are posted to them.
class SessionThreads {
 public:
  /// So many requests can hold up a thread each before others wait.
  static constexpr size_t most_workers = 64;

  /// `name` is that of the threads, at most 15 characters.
  explicit SessionThreads(std::string name, ThreadSpawner spawn = spawn_thread);
  SessionThreads(const SessionThreads&) = delete;
  SessionThreads& operator=(const SessionThreads&) = delete;
  ~SessionThreads() { mailbox_->close(); }

  /// Gets what the first thread needs, on the thread that calls run(). The session's channel must not block.
  /// Throws std::system_error with a sentence.
  void prepare(fuse_session& session);
  /// Serves on the calling thread, and on others that end before it returns. Returns after stop(), or when
  /// no thread can serve any more.
  SessionEnd run();
  /// Makes run() return once what was posted is done. Thread-safe.
  void stop();

  /// Has `work` done by one of the threads; an exception of it is logged. Thread-safe.
  void post(std::shared_ptr<Work> work) noexcept { mailbox_->post(std::move(work)); }
  /// What post() posts to; it may be used after this object.
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  /// What other threads write to; must be open under this number where run() is.
  [[nodiscard]] int wake_descriptor() const { return mailbox_->descriptor(); }

  /// The number of threads beside that of run().
  [[nodiscard]] size_t size() const { return workers_.size(); }

 private:
  [[nodiscard]] base::UniqueFd make_worker_epoll() const;
  void serve(const base::UniqueFd& epoll);
  [[nodiscard]] SessionEnd serve_until_failure(const base::UniqueFd& epoll);
  [[nodiscard]] int wait_for_work(const base::UniqueFd& epoll);
  [[nodiscard]] bool is_last_free_beside_busy_threads() const;
  [[nodiscard]] int wait_for_memory();
  void do_posted_work();
  void start_worker_if_none_is_free();
  [[nodiscard]] WorkerThreads::Body make_worker();
  bool run_posted();
  void end(const SessionEnd& end);

  std::string name_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  fuse_session* session_ = nullptr;
  base::UniqueFd first_epoll_;
  std::atomic<bool> stopping_{false};
  std::mutex end_mutex_;
  SessionEnd end_;  ///< the cause that came first
  std::atomic<int> free_workers_{0};
  std::atomic<int> serving_{0};
  std::atomic<bool> thread_loss_logged_{false};
  WorkerThreads workers_;
};

}  // namespace cuse
