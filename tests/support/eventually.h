#pragma once

#include <chrono>
#include <thread>

namespace unit {

/// Timeout of every wait in a test; reached only if the product is broken.
inline constexpr std::chrono::seconds timeout{30};

/// Waits until `holds()` returns true. Returns false if it does not within the timeout.
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
