#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

/// Sorts `ranges` and joins those that overlap or touch; drops empty ones.
void sort_and_merge(std::vector<ByteRange>& ranges);

/// Changed bytes that nobody has taken yet, in a bounded number of ranges whatever the size of the memory.
///
/// A list that reaches its limit is sorted and merged. If more than half of it remains, the ranges that lie
/// closest together are joined until half remains, so the next merge is at least half a list of additions
/// away. Bytes in a joined gap count as changed; such a gap is at most 2 / limit of the memory.
class DamageList {
 public:
  static constexpr size_t usual_limit = 32'768;

  /// `limit` is the largest number of ranges, at least 2.
  explicit DamageList(size_t limit = usual_limit) : limit_(limit) {}

  /// Adds a range, which must not be empty.
  void add(ByteRange range);
  /// Returns all ranges, sorted and merged, and empties the list.
  [[nodiscard]] std::vector<ByteRange> take();

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] size_t size() const { return ranges_.size(); }
  /// Merges made by add() so far: each costs as much as sorting the list.
  [[nodiscard]] uint64_t merges() const { return merges_; }

 private:
  void shorten();

  size_t limit_;
  std::vector<ByteRange> ranges_;
  uint64_t merges_ = 0;
};

}  // namespace fbemu
