#include "cuse/session_threads.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "cuse/libfuse.h"
#include "drmclient/event_descriptors.h"

namespace cuse {
namespace {

using drmclient::UniqueFd;

/// So many programs can hold up a thread each before requests wait.
constexpr size_t most_workers = 64;

}  // namespace

SessionThreads::SessionThreads(std::string name)
    : name_(std::move(name)), wake_event_(drmclient::make_event()) {}

bool SessionThreads::run(fuse_session& session) {
  session_ = &session;
  ++free_workers_;
  serve();
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    workers = std::exchange(workers_, {});
  }
  for (std::thread& worker : workers) worker.join();
  while (run_posted()) {
  }
  return !connection_gone_;
}

void SessionThreads::stop() {
  stopping_ = true;
  drmclient::signal_event(wake_event_);
}

void SessionThreads::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  drmclient::signal_event(wake_event_);
}

void SessionThreads::serve() {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  // Each worker waits on an epoll of its own with EPOLLEXCLUSIVE, so that a request wakes one of them and not
  // all.
  const UniqueFd epoll = make_worker_epoll();
  fuse_buf buffer{};
  while (!stopping_) {
    const int received = ::fuse_session_receive_buf(session_, &buffer);
    if (received == -EAGAIN) {
      wait_for_work(epoll);
    } else if (received == -EINTR) {
      continue;
    } else if (received <= 0) {
      if (!stopping_.exchange(true)) connection_gone_ = true;
      break;
    } else {
      start_worker_if_none_is_free();
      ::fuse_session_process_buf(session_, &buffer);
      ++free_workers_;
    }
  }
  --free_workers_;
  std::free(buffer.mem);                 // NOLINT: libfuse's allocation
  drmclient::signal_event(wake_event_);  // the next worker leaves too
}

UniqueFd SessionThreads::make_worker_epoll() const {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (const int source : {::fuse_session_fd(session_), wake_event_.get()}) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    event.data.fd = source;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, source, &event) != 0) {
      spdlog::critical("epoll_ctl: {}", std::generic_category().message(errno));
    }
  }
  return epoll;
}

/// Waits until the channel has a request or other threads have work, and does that.
void SessionThreads::wait_for_work(const UniqueFd& epoll) {
  std::array<epoll_event, 2> events{};
  const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
  if (stopping_) return;
  for (int i = 0; i < count; ++i) {
    if (events.at(static_cast<size_t>(i)).data.fd != wake_event_.get()) continue;
    uint64_t posted = 0;
    static_cast<void>(::read(wake_event_.get(), &posted, sizeof posted));
    start_worker_if_none_is_free();
    static_cast<void>(run_posted());
    ++free_workers_;
  }
}

/// Called by a thread that stops being free.
void SessionThreads::start_worker_if_none_is_free() {
  if (--free_workers_ > 0) return;
  const std::lock_guard lock(mutex_);
  if (workers_.size() >= most_workers || stopping_) return;
  ++free_workers_;
  workers_.emplace_back([this] { serve(); });
}

/// Runs one piece of work, so that others can be run by other threads meanwhile; false where there was none.
bool SessionThreads::run_posted() {
  std::function<void()> work;
  {
    const std::lock_guard lock(mutex_);
    if (posted_.empty()) return false;
    work = std::move(posted_.front());
    posted_.pop_front();
    if (!posted_.empty()) drmclient::signal_event(wake_event_);
  }
  work();
  return true;
}

}  // namespace cuse
