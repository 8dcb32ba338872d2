#pragma once

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "cuse/session/libfuse.h"
#include "cuse/session/session_threads.h"

namespace cuse {

struct FuseSessionDestroyer {
  void operator()(fuse_session* session) const { ::fuse_session_destroy(session); }
};
/// An owned libfuse session; its destruction closes the channel.
using FuseSession = std::unique_ptr<fuse_session, FuseSessionDestroyer>;

/// Passes `channel` to `session`, which closes it at its destruction. Throws std::system_error with `what` as
/// the owner of the channel.
void give_channel(fuse_session& session, base::UniqueFd channel, const std::string& what);

/// A libfuse session that serves on a thread of its own and on the threads that this one starts: the common
/// part of the FUSE file and the CUSE device.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Starts serving and returns when programs can use the session. Call it once. Throws std::system_error
  /// with a sentence that names the missing thing.
  void start();

 protected:
  /// `thread_name` has at most 15 characters; `served` names the served file or device in messages.
  Session(std::string thread_name, std::string served);
  /// The threads use the derived class, so its destructor must have called stop_threads() with success, or
  /// call exit_process().
  virtual ~Session();

  // These run on the session's thread.

  /// Makes the session with its channel. Throws std::system_error.
  [[nodiscard]] virtual FuseSession open() = 0;
  /// Runs before the first request is served.
  virtual void prepared() = 0;
  /// Handles the end of a session before it reported its start, or without stop() after that. Not called
  /// after a start that failed.
  virtual void ended(const SessionEnd& end) = 0;

  /// Makes start() return, or throw `error`. Returns true for the first call; further calls do nothing.
  bool report_started(std::exception_ptr error = nullptr) noexcept;
  [[nodiscard]] bool is_starting() const { return start_ == Start::pending; }

  [[nodiscard]] SessionThreads& threads() { return threads_; }
  [[nodiscard]] const SessionThreads& threads() const { return threads_; }
  [[nodiscard]] const std::string& served() const { return served_; }

  /// Ends the threads. Returns false if one did not end in time.
  [[nodiscard]] bool stop_threads(std::chrono::milliseconds timeout);
  [[nodiscard]] bool is_running() const { return running_; }
  /// Ends the process, because a thread that still runs would use destroyed objects.
  [[noreturn]] void exit_process() const;

 private:
  enum class Start { pending, succeeded, failed };

  void run();
  [[nodiscard]] SessionEnd serve() noexcept;
  void report_end(const SessionEnd& end) noexcept;

  SessionThreads threads_;
  std::string served_;
  std::string service_;           ///< names the service in reports of failures
  Start start_ = Start::pending;  ///< used by the session's thread, once it runs
  std::promise<void> started_;
  bool running_ = false;
  std::thread thread_;
  std::future<void> finished_;
};

}  // namespace cuse
