#pragma once

#include <mutex>
#include <vector>

#include "fbemu/byte_range.h"

namespace fbemu {

/// The bytes that programs changed and that the presenter has not yet taken. Thread-safe.
///
/// Bytes are recorded after they were stored in the shadow: whoever takes a range finds its pixels there.
/// Writes of dirty pages come at any time (the kernel's flusher, munmap, exit, memory pressure), so this is
/// the only account of them; nothing is inferred from when they came.
class DamageLog {
 public:
  struct Damage {
    std::vector<ByteRange> written;       ///< by write(2), exact
    std::vector<ByteRange> written_back;  ///< through mappings, whole pages
    [[nodiscard]] bool empty() const { return written.empty() && written_back.empty(); }
    /// Both lists in one.
    [[nodiscard]] std::vector<ByteRange> all() const;
  };

  /// Both return true where the log was empty before.
  bool add_written(ByteRange range) { return add(damage_.written, range); }
  bool add_written_back(ByteRange range) { return add(damage_.written_back, range); }

  /// Takes everything, each list sorted and merged.
  [[nodiscard]] Damage take();
  [[nodiscard]] bool empty() const;

 private:
  bool add(std::vector<ByteRange>& list, ByteRange range);

  mutable std::mutex mutex_;
  Damage damage_;
};

/// Sorts `ranges` and joins those that overlap or touch; empty ones go.
void sort_and_merge(std::vector<ByteRange>& ranges);

}  // namespace fbemu
