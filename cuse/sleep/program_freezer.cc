#include "cuse/sleep/program_freezer.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "cuse/service/failure.h"
#include "cuse/service/failure_report.h"
#include "cuse/service/process_end.h"
#include "cuse/service/thread_status.h"

namespace cuse {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Reason = FreezeReport::Reason;

/// Time that the search for programs may take beside the stops; with them less than a client of the control
/// socket waits.
constexpr milliseconds search_timeout{7000};
/// Time between two looks at threads that are stopping.
constexpr milliseconds stop_interval{1};
/// Time between two looks for frozen threads that were killed. waitpid(2) cannot be waited for together with
/// a request, and this lasts only for the seconds around a sleep.
constexpr milliseconds end_interval{50};

/// The programs that were found, each with the reason if it cannot be frozen.
using Programs = std::map<pid_t, std::optional<Reason>>;

std::vector<pid_t> threads_of(pid_t process) {
  return numbers_in("/proc/" + std::to_string(process) + "/task");
}

/// Interrupts the threads of a program that are not known yet. Returns true if there were any.
bool interrupt_threads(ThreadFreezer& threads, pid_t process, std::optional<Reason>& exception) {
  bool found = false;
  for (const pid_t thread : threads_of(process)) {
    if (threads.has(thread)) continue;
    switch (threads.interrupt(thread)) {
      case ThreadFreezer::Attempt::interrupted:
        found = true;
        break;
      case ThreadFreezer::Attempt::ended:
        break;
      case ThreadFreezer::Attempt::traced:
        exception = Reason::traced;
        break;
      case ThreadFreezer::Attempt::denied:
        exception = Reason::denied;
        break;
    }
  }
  return found;
}

FreezeReport make_report(const ThreadFreezer& threads, const Programs& programs) {
  const std::vector<pid_t> running = threads.running();
  FreezeReport report;
  report.threads = threads.size() - running.size();
  for (const auto& [process, found_exception] : programs) {
    std::optional<Reason> exception = found_exception;
    bool has_threads = exception.has_value();
    for (const pid_t thread : threads_of(process)) {
      has_threads = has_threads || threads.has(thread);
      if (!exception && std::ranges::count(running, thread) > 0) exception = Reason::not_stopped;
    }
    if (exception) {
      report.exceptions.push_back({process, process_name(process), *exception});
    } else if (has_threads) {
      ++report.programs;
    }
  }
  return report;
}

}  // namespace

std::string describe(FreezeReport::Reason reason) {
  switch (reason) {
    case Reason::traced:
      return "is left alone, because another process traces it";
    case Reason::denied:
      return "may not be stopped by this daemon";
    case Reason::not_stopped:
      break;
  }
  return "did not stop in time";
}

ProgramFreezer::~ProgramFreezer() {
  constexpr milliseconds timeout{5000};
  if (stop(timeout)) return;
  // A running thread would use destroyed objects.
  spdlog::critical("the search for programs does not end; ending the process instead");
  end_process(EXIT_FAILURE);
}

FreezeReport ProgramFreezer::freeze() {
  base::MutexLock lock(mutex_);
  const Time deadline = steady_clock::now() + options_.stop_timeout + search_timeout;
  while (state_ == State::thawing && changed_.wait_until(mutex_, deadline)) {
  }
  if (stopped_) throw std::runtime_error("cannot freeze programs: the daemon ends");
  if (state_ == State::thawing) throw std::runtime_error("the thaw of programs does not end");
  if (state_ == State::idle || state_ == State::frozen) begin_freeze();
  while (state_ == State::freezing && changed_.wait_until(mutex_, deadline)) {
  }
  if (!report_) {
    if (state_ == State::freezing) state_ = State::thawing;
    throw std::runtime_error("the freeze of programs was given up");
  }
  FreezeReport report = *report_;
  lock.unlock();
  log(report);
  return report;
}

/// Makes the thread freeze programs, and starts it if there is none.
void ProgramFreezer::begin_freeze() {
  report_.reset();
  if (state_ == State::idle) {
    if (thread_.joinable()) thread_.join();
    try {
      thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      fail(error.code().value(),
           "cannot start a thread to freeze programs; raise the limit of processes (ulimit -u, TasksMax=)");
    }
  }
  state_ = State::freezing;
  changed_.notify_all();
}

bool ProgramFreezer::thaw() {
  const base::MutexLock lock(mutex_);
  const bool were_frozen = state_ != State::idle;
  static_cast<void>(end_thread(steady_clock::now() + search_timeout));
  return were_frozen;
}

bool ProgramFreezer::stop(milliseconds timeout) {
  const base::MutexLock lock(mutex_);
  stopped_ = true;
  return end_thread(steady_clock::now() + timeout);
}

/// Ends the thread, if there is one, and waits for its end. Returns false if it does not end in time.
bool ProgramFreezer::end_thread(Time deadline) {
  if (state_ != State::idle) state_ = State::thawing;
  changed_.notify_all();
  while (state_ != State::idle && changed_.wait_until(mutex_, deadline)) {
  }
  if (state_ != State::idle) return false;
  // The thread does not need the mutex any more. The kernel releases programs that had not stopped yet.
  if (thread_.joinable()) thread_.join();
  return true;
}

bool ProgramFreezer::is_thawing() {
  const base::MutexLock lock(mutex_);
  return state_ == State::thawing;
}

// The functions below run on the thread, except log().

void ProgramFreezer::run() {
  ::pthread_setname_np(::pthread_self(), "freezer");
  // Programs may keep all processors busy. Without the right to do so, the thread competes with them.
  constexpr int highest_priority = -20;
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), highest_priority));
  ThreadFreezer threads;
  try {
    serve(threads);
  } catch (...) {
    report_current_exception("a freeze of programs");
  }
  threads.thaw();
  const base::MutexLock lock(mutex_);
  state_ = State::idle;
  changed_.notify_all();
}

void ProgramFreezer::serve(ThreadFreezer& threads) {
  Time thaw_time{};
  base::MutexLock lock(mutex_);
  while (state_ != State::thawing) {
    if (state_ == State::freezing) {
      lock.unlock();
      FreezeReport report = freeze_programs(threads);
      thaw_time = steady_clock::now() + options_.thaw_timeout;
      lock.lock();
      if (state_ != State::freezing) continue;
      report_ = std::move(report);
      state_ = State::frozen;
      changed_.notify_all();
    } else if (steady_clock::now() >= thaw_time) {
      state_ = State::thawing;
      lock.unlock();
      spdlog::warn("no thaw came within {} s after the freeze; the programs run again",
                   std::chrono::duration_cast<std::chrono::seconds>(options_.thaw_timeout).count());
      lock.lock();
    } else {
      changed_.wait_until(mutex_, std::min(thaw_time, steady_clock::now() + end_interval));
      lock.unlock();
      threads.collect();
      lock.lock();
    }
  }
}

/// Stops programs until a look at the whole system, at which all known threads are stopped, finds no more.
FreezeReport ProgramFreezer::freeze_programs(ThreadFreezer& threads) {
  std::vector<pid_t> own_processes = options_.own_processes;
  own_processes.push_back(::getpid());
  FramebufferPrograms search(options_.files, own_processes);
  std::optional<Time> deadline;  // none before the first programs are interrupted
  Programs programs;
  while (true) {
    threads.collect();
    const bool all_stopped = threads.running().empty();
    bool found = false;
    if (all_stopped) {
      for (const pid_t process : search.find()) found = programs.try_emplace(process).second || found;
    }
    for (auto& [process, exception] : programs) {
      found = interrupt_threads(threads, process, exception) || found;
    }
    const Time now = steady_clock::now();
    if (!deadline) deadline = now + options_.stop_timeout;
    if ((all_stopped && !found) || now >= *deadline || is_thawing()) break;
    if (!found) std::this_thread::sleep_for(stop_interval);
  }
  return make_report(threads, programs);
}

void ProgramFreezer::log(const FreezeReport& report) {
  spdlog::info("programs that use the framebuffer are frozen: {} ({} threads)", report.programs,
               report.threads);
  for (const FreezeReport::Exception& exception : report.exceptions) {
    const bool denied = exception.reason == Reason::denied;
    const bool is_news =
        exception.reason == Reason::not_stopped || (denied && !denial_logged_.exchange(true));
    spdlog::log(is_news ? spdlog::level::warn : spdlog::level::info, "cannot freeze process {} ({}): it {}{}",
                exception.process, exception.name, describe(exception.reason),
                denied ? "; run fbemud as root or with CAP_SYS_PTRACE, or lower "
                         "/proc/sys/kernel/yama/ptrace_scope"
                       : "");
  }
}

}  // namespace cuse
