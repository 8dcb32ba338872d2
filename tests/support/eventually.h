#pragma once

#include <chrono>
#include <thread>

namespace unit {

/// So long a test waits for what has to come; only a broken product makes it wait to the end.
inline constexpr std::chrono::seconds timeout{30};

/// Waits until `holds()`; false where that never happens.
template <typename Condition>
[[nodiscard]] bool eventually(Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

}  // namespace unit
