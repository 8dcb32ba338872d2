#pragma once

#include <string>
#include <utility>

#include "base/unique_fd.h"

namespace drmclient {

/// A monitor of memory pressure: the kernel reports that programs wait for memory (pressure stall
/// information, Documentation/accounting/psi.rst). Has no effect if the kernel lacks it or does not permit
/// it.
class MemoryPressure {
 public:
  /// Opens the kernel's file; `path` is for tests.
  explicit MemoryPressure(const std::string& path = "/proc/pressure/memory");
  /// Uses `trigger`, a descriptor with the same behaviour, for tests.
  explicit MemoryPressure(base::UniqueFd trigger) : trigger_(std::move(trigger)) {}

  /// Returns the descriptor, or -1 if there is no monitor. Its event is POLLPRI: release memory that can be
  /// allocated again.
  ///
  /// Pass the descriptor to poll(2) itself, not to an epoll set. A poll clears the event
  /// (psi_trigger_poll()). So a poll of the epoll descriptor wakes up, and epoll_wait() finds no event
  /// afterwards.
  [[nodiscard]] int descriptor() const { return trigger_.get(); }
  /// Closes the descriptor, for example after POLLERR.
  void close() { trigger_.reset(); }

 private:
  base::UniqueFd trigger_;
};

}  // namespace drmclient
