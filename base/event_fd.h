#pragma once

#include "base/unique_fd.h"

namespace base {

/// A counter that wakes the threads which wait for its descriptor (eventfd(2)). Thread-safe.
class EventFd {
 public:
  /// Makes a counter that is not signalled. Throws std::system_error.
  EventFd();

  /// Returns the descriptor, which is readable from signal() to clear() and does not block.
  [[nodiscard]] int get() const { return fd_.get(); }
  /// Makes the descriptor readable. Allocates nothing.
  void signal() const noexcept;
  /// Makes the descriptor unreadable. Returns true if it was readable.
  bool clear() const noexcept;  // NOLINT(modernize-use-nodiscard): most callers only reset it

 private:
  UniqueFd fd_;
};

}  // namespace base
