#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

/// Sorts `ranges`, joins those that overlap or touch, and drops empty ones.
void sort_and_merge(std::vector<ByteRange>& ranges);

/// The changed bytes that the presenter has not taken yet. The number of ranges is bounded for any size of
/// the memory.
///
/// A list that reaches its limit is sorted and merged. If more than half of it remains, the closest ranges
/// are joined until half remains. So at least half a list of additions separates two merges. Bytes in a
/// joined gap count as changed; such a gap is at most 2 / limit of the memory.
class DamageList {
 public:
  static constexpr size_t usual_limit = 32'768;

  /// Makes an empty list of at most `limit` (2 or more) ranges.
  explicit DamageList(size_t limit = usual_limit) : limit_(limit) {}

  /// Adds a range, which must not be empty.
  void add(ByteRange range);
  /// Returns all ranges, sorted and merged, and empties the list.
  [[nodiscard]] std::vector<ByteRange> take();

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] size_t size() const { return ranges_.size(); }
  /// Returns the number of merges made by add() so far. Each costs as much as sorting the list.
  [[nodiscard]] uint64_t merges() const { return merges_; }

 private:
  void shorten();

  size_t limit_;
  std::vector<ByteRange> ranges_;
  uint64_t merges_ = 0;
};

}  // namespace fbemu
