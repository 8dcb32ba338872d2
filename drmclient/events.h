#pragma once

#include <chrono>
#include <cstdint>
#include <variant>

namespace drmclient {

class Output;

/// An output reached vblank.
struct VblankEvent {
  const Output* output = nullptr;              ///< the output; exists as long as its card
  uint32_t sequence = 0;                       ///< the output's frame counter, which wraps
  std::chrono::steady_clock::time_point time;  ///< time of the vblank
};

/// The outputs may have changed: call Card::probe().
struct HotplugEvent {};

/// The machine was suspended to memory or disk. The outputs, and the pictures on them, may have changed.
struct ResumeEvent {};

/// An event of Card::read_events().
using Event = std::variant<VblankEvent, HotplugEvent, ResumeEvent>;

}  // namespace drmclient
