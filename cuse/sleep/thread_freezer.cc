#include "cuse/sleep/thread_freezer.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <iterator>

#include "cuse/service/thread_status.h"

namespace cuse {
namespace {

// Only the tracees of the calling thread; __WALL includes those that are threads.
constexpr int for_tracees = WNOHANG | __WALL | __WNOTHREAD;

/// Returns the signal that a tracee was about to receive, from the si_status of its stop: 0 for the trap of
/// PTRACE_INTERRUPT and for a group-stop, both with PTRACE_EVENT_STOP in the upper bits.
int signal_of_stop(int status) {
  constexpr unsigned event_shift = 8;
  return static_cast<unsigned>(status) >> event_shift == 0 ? status : 0;
}

/// Returns true if `thread` has ended. Reaps it, unless it is a child process of this process: its end
/// belongs to the code that started it.
bool reap(pid_t thread) {
  siginfo_t end{};
  if (::waitid(P_PID, static_cast<id_t>(thread), &end, WEXITED | WNOWAIT | for_tracees) != 0) return true;
  // The stop of a tracee is reported whatever the options are.
  const bool ended = end.si_code == CLD_EXITED || end.si_code == CLD_KILLED || end.si_code == CLD_DUMPED;
  if (end.si_pid != thread || !ended) return false;
  const auto status = read_thread_status(thread);
  const bool own_child = status && status->process == thread && status->parent == ::getpid();
  if (!own_child) static_cast<void>(::waitpid(thread, nullptr, for_tracees));
  return true;
}

}  // namespace

ThreadFreezer::Attempt ThreadFreezer::interrupt(pid_t thread) {
  if (has(thread)) return Attempt::interrupted;
  // PTRACE_SEIZE sends no signal, and keeps group-stops apart from those of the tracer.
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) == 0) {
    threads_[thread] = {};
    // Fails only if the thread was killed since.
    static_cast<void>(::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr));
    return Attempt::interrupted;
  }
  if (errno != EPERM) return Attempt::ended;
  // The kernel returns EPERM for a zombie and for a thread with a tracer, too.
  const auto status = read_thread_status(thread);
  if (!status || status->has_ended()) return Attempt::ended;
  return status->tracer != 0 ? Attempt::traced : Attempt::denied;
}

void ThreadFreezer::collect() {
  for (auto entry = threads_.begin(); entry != threads_.end();) {
    siginfo_t stop{};
    const bool stopped =
        ::waitid(P_PID, static_cast<id_t>(entry->first), &stop, WSTOPPED | for_tracees) == 0 &&
        stop.si_pid == entry->first;
    if (stopped) entry->second = {true, signal_of_stop(stop.si_status)};
    entry = !stopped && reap(entry->first) ? threads_.erase(entry) : std::next(entry);
  }
}

std::vector<pid_t> ThreadFreezer::running() const {
  std::vector<pid_t> running;
  for (const auto& [thread, state] : threads_) {
    if (!state.stopped) running.push_back(thread);
  }
  return running;
}

void ThreadFreezer::thaw() {
  collect();
  for (const auto& [thread, state] : threads_) {
    // Fails if the thread was killed since; the kernel then passes its end on to the parent.
    if (state.stopped) {
      static_cast<void>(::ptrace(PTRACE_DETACH, thread, nullptr,
                                 reinterpret_cast<void*>(static_cast<intptr_t>(state.signal))));  // NOLINT
    }
  }
  threads_.clear();
}

}  // namespace cuse
