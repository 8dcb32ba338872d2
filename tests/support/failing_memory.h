#pragma once

#include <cstddef>

namespace unit {

/// One failure of operator new while this object exists: on threads with a given name, after `successes`
/// successful calls there.
class FailingMemory {
 public:
  /// `thread_name` must outlive this object.
  FailingMemory(const char* thread_name, size_t successes);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// Returns true if operator new has failed.
  [[nodiscard]] static bool failed();
};

}  // namespace unit
