#pragma once

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>

namespace cuse {

/// Returns the signals that request the end of a daemon.
[[nodiscard]] sigset_t stop_signals();

/// The exception for a signal that requests the end while the start of the daemon waits.
class StopRequested : public std::runtime_error {
 public:
  StopRequested(int signal, const std::string& what) : std::runtime_error(what), signal_(signal) {}
  [[nodiscard]] int signal() const { return signal_; }

 private:
  int signal_;
};

/// Waits until `descriptor` is readable (-1: none), at most `limit`. Returns true if it is readable. Throws
/// StopRequested with `what` as soon as a stop signal is pending. The signals must be blocked; they stay
/// pending.
bool wait_during_start(int descriptor, std::chrono::milliseconds limit, const std::string& what);

}  // namespace cuse
