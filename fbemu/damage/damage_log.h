#pragma once

#include <vector>

#include "base/mutex.h"
#include "fbemu/damage/byte_range.h"
#include "fbemu/damage/damage_list.h"

namespace fbemu {

/// The bytes that programs changed and that the presenter has not taken yet. Thread-safe.
///
/// A range is recorded after its bytes were stored in the backing store, so the pixels of every range taken
/// are there. The kernel writes dirty pages back at any time (flusher, munmap, exit, memory pressure). So
/// this log is the only record of them, and the time of a write implies nothing.
class DamageLog {
 public:
  /// The result of take().
  struct Damage {
    std::vector<ByteRange> written;       ///< by write(2); exact up to the limit of DamageList
    std::vector<ByteRange> written_back;  ///< through mappings; whole pages
    [[nodiscard]] bool empty() const { return written.empty() && written_back.empty(); }
    /// Returns both lists, merged.
    [[nodiscard]] std::vector<ByteRange> all() const;
  };

  /// Adds bytes changed by write(2). Returns true if the log was empty before.
  bool add_written(ByteRange range) BASE_EXCLUDES(mutex_);
  /// Adds pages changed through a mapping. Returns true if the log was empty before.
  bool add_written_back(ByteRange range) BASE_EXCLUDES(mutex_);

  /// Returns all damage, each list sorted and merged, and empties the log.
  [[nodiscard]] Damage take() BASE_EXCLUDES(mutex_);
  [[nodiscard]] bool empty() const BASE_EXCLUDES(mutex_);

 private:
  bool add(DamageList& list, ByteRange range) BASE_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  DamageList written_ BASE_GUARDED_BY(mutex_);
  DamageList written_back_ BASE_GUARDED_BY(mutex_);
};

}  // namespace fbemu
