#include "cuse/session/session_threads.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "cuse/service/failure_report.h"
#include "cuse/session/libfuse.h"

namespace cuse {
namespace {

using base::Result;

/// The pause before a thread retries a failed allocation.
constexpr std::chrono::milliseconds memory_retry_interval{50};

/// The buffer that libfuse allocates for the requests of a thread.
class RequestBuffer {
 public:
  RequestBuffer() = default;
  RequestBuffer(const RequestBuffer&) = delete;
  RequestBuffer& operator=(const RequestBuffer&) = delete;
  ~RequestBuffer() { std::free(buffer_.mem); }  // NOLINT: libfuse's allocation

  fuse_buf* get() { return &buffer_; }

 private:
  fuse_buf buffer_{};
};

/// Returns the error of a call of libfuse that returned a negative errno.
std::error_code error_of(int result) {
  return {-result, std::generic_category()};
}

}  // namespace

std::string describe(const SessionEnd& end, const std::string& mount) {
  switch (end.cause) {
    case SessionEnd::Cause::out_of_memory:
      return "out of memory: the requests for " + mount +
             " cannot be read; give the daemon more memory (MemoryMax= of its unit) and start fbemud again";
    case SessionEnd::Cause::failed:
      return "the connection to the kernel for " + mount + " failed: " + end.error.message() +
             "; start fbemud again";
    case SessionEnd::Cause::stopped:
    case SessionEnd::Cause::closed:
      break;
  }
  return "the mount on " + mount + " was detached by another process; start fbemud again";
}

SessionThreads::SessionThreads(std::string name, ThreadSpawner spawn)
    : name_(std::move(name)), workers_(name_, most_workers, std::move(spawn)) {}

void SessionThreads::prepare(fuse_session& session) {
  session_ = &session;
  first_epoll_ = make_worker_epoll();
}

SessionEnd SessionThreads::run() {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  ++free_workers_;
  ++serving_;
  serve(*first_epoll_);
  workers_.wait_for_end();
  while (run_posted()) {
  }
  // Closed on the thread that made it, because another thread may have another table of descriptors: there
  // its number can be that of another file.
  first_epoll_.reset();
  const base::MutexLock lock(end_mutex_);
  return end_;
}

void SessionThreads::stop() {
  end({});
}

/// Ends the session. The first call sets the cause.
void SessionThreads::end(const SessionEnd& end) {
  {
    const base::MutexLock lock(end_mutex_);
    if (!stopping_.exchange(true)) end_ = end;
  }
  mailbox_->wake();
}

void SessionThreads::serve(const base::Epoll& epoll) {
  const SessionEnd reason = serve_until_failure(epoll);
  const bool last = --serving_ == 0;
  if (!stopping_ && !last && !thread_loss_logged_.exchange(true)) {
    spdlog::warn("a thread \"{}\" ended, the others continue: {}", name_, reason.error.message());
  }
  if (last) end(reason);
  // At the end of the session each ending thread wakes the next one. Before the end, a wake would make
  // another thread start one that fails in the same way, and so on.
  if (stopping_) mailbox_->wake();
}

/// Serves until the end of the session, or until this thread cannot continue. Returns the cause; the thread
/// is no longer counted as free then.
SessionEnd SessionThreads::serve_until_failure(const base::Epoll& epoll) {
  RequestBuffer buffer;
  while (!stopping_) {
    const int received = ::fuse_session_receive_buf(session_, buffer.get());
    if (received == -EAGAIN) {
      if (const auto waited = wait_for_work(epoll); !waited) {
        --free_workers_;
        return {SessionEnd::Cause::failed, waited.error()};
      }
    } else if (received == -EINTR) {
      continue;
    } else if (received == -ENOMEM) {
      if (stop_being_free()) return {SessionEnd::Cause::out_of_memory, error_of(received)};
      if (const auto waited = wait_for_memory(); !waited) {
        --free_workers_;
        return {SessionEnd::Cause::failed, waited.error()};
      }
    } else if (received == 0) {
      end({SessionEnd::Cause::closed});
    } else if (received < 0) {
      end({SessionEnd::Cause::failed, error_of(received)});
    } else {
      start_worker_if_none_is_free();
      ::fuse_session_process_buf(session_, buffer.get());
      ++free_workers_;
    }
  }
  --free_workers_;
  return {};
}

/// Makes the epoll of one worker. Each worker has its own, with EPOLLEXCLUSIVE, so that a request wakes only
/// one of them.
std::unique_ptr<const base::Epoll> SessionThreads::make_worker_epoll() const {
  try {
    auto epoll = std::make_unique<const base::Epoll>();
    for (const int source : {::fuse_session_fd(session_), mailbox_->descriptor()}) {
      epoll->watch(source, EPOLLIN | EPOLLEXCLUSIVE);
    }
    return epoll;
  } catch (const std::system_error& error) {
    throw std::system_error(error.code(),
                            "cannot make an epoll for a thread \"" + name_ +
                                "\" (raise the limit of open files: ulimit -n, or LimitNOFILE= of the unit)");
  }
}

/// Waits for a request or posted work, and does the posted work. Errors: those of Epoll::wait().
Result<void> SessionThreads::wait_for_work(const base::Epoll& epoll) {
  std::array<epoll_event, 2> events{};
  const auto ready = BASE_TRY(epoll.wait(events));
  if (stopping_) return {};
  for (const epoll_event& event : ready) {
    if (event.data.fd == mailbox_->descriptor()) do_posted_work();
  }
  return {};
}

/// Takes this thread from the free ones, in one step with the check, because several may fail at once.
/// Returns false if it is the last free one while others are busy: requests would wait for those.
bool SessionThreads::stop_being_free() {
  int free = free_workers_;
  do {
    if (free <= 1 && serving_ > 1) return false;
  } while (!free_workers_.compare_exchange_weak(free, free - 1));
  return true;
}

/// Waits for the retry of an allocation, and does posted work meanwhile, which needs no request buffer.
/// Errors: those of poll(2) but EINTR.
Result<void> SessionThreads::wait_for_memory() {
  pollfd posted{mailbox_->descriptor(), POLLIN, 0};
  const int count = ::poll(&posted, 1, static_cast<int>(memory_retry_interval.count()));
  if (count < 0 && errno != EINTR) return base::failure_from_errno();
  if (count > 0 && !stopping_) do_posted_work();
  return {};
}

void SessionThreads::do_posted_work() {
  mailbox_->clear_wake();
  start_worker_if_none_is_free();
  static_cast<void>(run_posted());
  ++free_workers_;
}

/// Marks the calling thread as busy, and starts a further thread if no other is free.
void SessionThreads::start_worker_if_none_is_free() {
  if (--free_workers_ > 0 || stopping_) return;
  ++free_workers_;
  ++serving_;
  if (workers_.start([this] { return make_worker(); })) return;
  --free_workers_;
  --serving_;
}

/// Returns the body of a further thread. Its epoll is made first, because a thread without one cannot wait.
WorkerThreads::Body SessionThreads::make_worker() {
  return [this, epoll = std::shared_ptr<const base::Epoll>(make_worker_epoll())] { serve(*epoll); };
}

/// Runs one piece of work, so that other threads can run the others. Returns false if there was none.
bool SessionThreads::run_posted() {
  const std::shared_ptr<Work> work = mailbox_->take();
  if (!work) return false;
  try {
    work->run();
  } catch (...) {
    report_current_exception("an answer to a program");
  }
  return true;
}

}  // namespace cuse
