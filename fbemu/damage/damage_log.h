#pragma once

#include <mutex>
#include <vector>

#include "fbemu/damage/byte_range.h"
#include "fbemu/damage/damage_list.h"

namespace fbemu {

/// The bytes that programs changed and that the presenter has not yet taken. Thread-safe.
///
/// Bytes are recorded after they were stored in the shadow: whoever takes a range finds its pixels there.
/// Writes of dirty pages come at any time (the kernel's flusher, munmap, exit, memory pressure), so this is
/// the only account of them; nothing is inferred from when they came.
class DamageLog {
 public:
  struct Damage {
    std::vector<ByteRange> written;       ///< by write(2), exact to the limit of DamageList
    std::vector<ByteRange> written_back;  ///< through mappings, whole pages
    [[nodiscard]] bool empty() const { return written.empty() && written_back.empty(); }
    /// Both lists in one.
    [[nodiscard]] std::vector<ByteRange> all() const;
  };

  /// Both return true if the log was empty before.
  bool add_written(ByteRange range) { return add(written_, range); }
  bool add_written_back(ByteRange range) { return add(written_back_, range); }

  /// Takes everything, each list sorted and merged.
  [[nodiscard]] Damage take();
  [[nodiscard]] bool empty() const;

 private:
  bool add(DamageList& list, ByteRange range);

  mutable std::mutex mutex_;
  DamageList written_;
  DamageList written_back_;
};

}  // namespace fbemu
