#pragma once

#include <chrono>
#include <cstdint>
#include <variant>

#include "drmclient/output.h"

namespace drmclient {

/// An output reached vblank. `sequence` counts frames of that output and wraps.
struct VblankEvent {
  OutputId output = 0;                         ///< whose
  uint32_t sequence = 0;                       ///< frames of the output so far
  std::chrono::steady_clock::time_point time;  ///< when it was
};

/// Something about the outputs changed: probe() again.
struct HotplugEvent {};

/// The machine was asleep (suspended to memory or disk): what the outputs show, and whether they are the
/// same, is open.
struct ResumeEvent {};

/// Anything that read_events() may tell.
using Event = std::variant<VblankEvent, HotplugEvent, ResumeEvent>;

}  // namespace drmclient
