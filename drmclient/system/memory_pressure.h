#pragma once

#include <string>
#include <utility>

#include "base/unique_fd.h"

namespace drmclient {

/// The kernel's word that programs wait for memory (pressure stall information, Documentation/accounting/
/// psi.rst). Where the kernel has none of it or does not permit it, this is silently without effect.
class MemoryPressure {
 public:
  /// `path` is for tests.
  explicit MemoryPressure(const std::string& path = "/proc/pressure/memory");
  /// With a descriptor that behaves alike, for tests.
  explicit MemoryPressure(base::UniqueFd trigger) : trigger_(std::move(trigger)) {}

  /// POLLPRI: it is time to let go of what can be made again. -1 where nothing is told.
  ///
  /// It has to be given to poll(2) itself. A poll takes the event with it (psi_trigger_poll()), so a poll of
  /// an epoll descriptor with this one inside would wake, and nobody would find out why.
  [[nodiscard]] int descriptor() const { return trigger_.get(); }
  /// No more of it: after POLLERR.
  void close() { trigger_.reset(); }

 private:
  base::UniqueFd trigger_;
};

}  // namespace drmclient
