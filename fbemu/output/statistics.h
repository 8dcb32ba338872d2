#pragma once

#include <atomic>
#include <cstdint>

namespace fbemu {

/// Counters since the start, over all outputs. Each is exact; together they are no snapshot.
struct Statistics {
  std::atomic<uint64_t> ioctls{0};
  std::atomic<uint64_t> reads{0};
  std::atomic<uint64_t> writes{0};          ///< write(2) requests
  std::atomic<uint64_t> write_backs{0};     ///< requests that delivered changed pages of mappings
  std::atomic<uint64_t> changed_bytes{0};   ///< bytes that both delivered
  std::atomic<uint64_t> ticks{0};           ///< vblanks at which the presenter looked for changes
  std::atomic<uint64_t> hot_ticks{0};       ///< ticks at which the whole view was read from the live pages
  std::atomic<uint64_t> hot_periods{0};     ///< transitions from tracked to hot mode
  std::atomic<uint64_t> tracked_bytes{0};   ///< bytes uploaded for tracked damage
  std::atomic<uint64_t> uploaded_bytes{0};  ///< bytes written to scan-out buffers
  std::atomic<uint64_t> uploaded_rects{0};
  std::atomic<uint64_t> presents{0};
  std::atomic<uint64_t> failed_presents{0};
  std::atomic<uint64_t> mode_sets{0};
};

}  // namespace fbemu
