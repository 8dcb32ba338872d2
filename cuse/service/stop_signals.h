#pragma once

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

namespace cuse {

/// The signals that ask a daemon to end.
[[nodiscard]] sigset_t stop_signals();

/// Thrown if a signal asks for the end while the daemon still waits for what it needs to start.
class StopRequested : public std::runtime_error {
 public:
  StopRequested(int signal, const std::string& what) : std::runtime_error(what), signal_(signal) {}
  [[nodiscard]] int signal() const { return signal_; }

 private:
  int signal_;
};

/// Waits until `descriptor` is readable (-1: for nothing), at most for `limit`. Returns whether it is. Throws
/// StopRequested with `what` as soon as a stop signal is pending; the signals have to be blocked, and none is
/// taken.
bool wait_during_start(int descriptor, std::chrono::milliseconds limit, const std::string& what);

}  // namespace cuse
