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
/// Owns a libfuse session; its end closes the channel.
using FuseSession = std::unique_ptr<fuse_session, FuseSessionDestroyer>;

/// Gives `channel` to `session`, which closes it at its end. Throws std::system_error; `what` names the
/// channel.
void give_channel(fuse_session& session, base::UniqueFd channel, const std::string& what);

/// A libfuse session that serves on a thread of its own, and on those that this thread starts: what a FUSE
/// file and a CUSE device have in common.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Starts serving; returns when the session is there for programs. Throws std::system_error with a sentence
  /// that says what is missing.
  void start();

 protected:
  /// `thread_name` has at most 15 characters; `served` names what is served in messages.
  Session(std::string thread_name, std::string served);
  /// A derived class calls end_or_exit() in its destructor, because the threads use it.
  virtual ~Session();

  /// Makes the session with its channel. Runs on the session's thread. Throws std::system_error.
  [[nodiscard]] virtual FuseSession open() = 0;
  /// Called when the thread is about to serve. Runs on the session's thread.
  virtual void prepared() = 0;
  /// Called when the session ended after its start, without stop(). Runs on the session's thread.
  virtual void ended(const SessionEnd& end) = 0;

  /// Lets start() return, or throw `error`. Later calls do nothing. Returns whether this was the first one.
  bool report_started(std::exception_ptr error = nullptr) noexcept;
  [[nodiscard]] bool is_starting() const { return starting_; }

  [[nodiscard]] SessionThreads& threads() { return threads_; }
  [[nodiscard]] const SessionThreads& threads() const { return threads_; }
  [[nodiscard]] const std::string& served() const { return served_; }

  /// Ends the threads; false if one did not end in time.
  [[nodiscard]] bool stop_threads(std::chrono::milliseconds timeout);
  [[nodiscard]] bool is_running() const { return running_; }
  /// Ends the process: a thread that still runs uses what is destroyed afterwards.
  [[noreturn]] void exit_process() const;

 private:
  void run();

  SessionThreads threads_;
  std::string served_;
  bool starting_ = false;  ///< used by the session's thread, once it runs
  std::promise<void> started_;
  bool running_ = false;
  std::thread thread_;
  std::future<void> finished_;
};

}  // namespace cuse
