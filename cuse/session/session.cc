#include "cuse/session/session.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "cuse/service/failure_report.h"
#include "cuse/service/process_end.h"
#include "cuse/session/worker_threads.h"

namespace cuse {

void give_channel(fuse_session& session, base::UniqueFd channel, const std::string& what) {
  const std::string name = "/dev/fd/" + std::to_string(channel.get());
  if (::fuse_session_mount(&session, name.c_str()) != 0) {
    throw std::system_error(EINVAL, std::generic_category(), "libfuse refused the channel of " + what);
  }
  static_cast<void>(channel.release());
}

Session::Session(std::string thread_name, std::string served)
    : threads_(std::move(thread_name)), served_(std::move(served)), service_("the service of " + served_) {}

Session::~Session() = default;

void Session::start() {
  std::future<void> started = started_.get_future();
  std::promise<void> finished;
  finished_ = finished.get_future();
  start_ = Start::pending;
  try {
    thread_ = std::thread([this, finished = std::move(finished)]() mutable {
      run();
      finished.set_value();
    });
  } catch (const std::system_error& error) {
    throw no_thread(error, "the requests for " + served_);
  }
  running_ = true;
  started.get();
}

bool Session::report_started(std::exception_ptr error) noexcept {
  if (start_ != Start::pending) return false;
  if (error != nullptr) {
    start_ = Start::failed;
    started_.set_exception(std::move(error));
  } else {
    start_ = Start::succeeded;
    started_.set_value();
  }
  return true;
}

void Session::run() {
  FuseSession session;
  try {
    session = open();
    threads_.prepare(*session);
  } catch (...) {
    session.reset();
    report_started(std::current_exception());
    return;
  }
  prepared();
  report_end(serve());
  // Closes the channel: programs that still have the file open get ENOTCONN from now on.
  session.reset();
}

SessionEnd Session::serve() noexcept {
  try {
    return threads_.run();
  } catch (...) {
    return {SessionEnd::Cause::failed, report_current_exception(service_.c_str())};
  }
}

void Session::report_end(const SessionEnd& end) noexcept {
  if (start_ == Start::failed) return;
  if (start_ == Start::succeeded && end.cause == SessionEnd::Cause::stopped) return;
  try {
    ended(end);
  } catch (...) {
    report_current_exception(service_.c_str());
    report_started(std::current_exception());
  }
}

bool Session::stop_threads(std::chrono::milliseconds timeout) {
  if (!running_) return true;
  threads_.stop();
  if (finished_.wait_for(timeout) != std::future_status::ready) return false;
  thread_.join();
  running_ = false;
  return true;
}

void Session::exit_process() const {
  spdlog::critical("a thread that serves {} does not end; ending the process instead", served_);
  end_process(EXIT_FAILURE);
}

}  // namespace cuse
