#pragma once

#include <cstddef>

namespace unit {

/// While it exists, operator new fails once on threads with this name, after it has succeeded `successes`
/// times there.
class FailingMemory {
 public:
  /// `thread_name` is kept.
  FailingMemory(const char* thread_name, size_t successes);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// Whether it has failed.
  [[nodiscard]] static bool failed();
};

}  // namespace unit
