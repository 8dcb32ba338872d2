#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "fbemu/damage/byte_range.h"

namespace unit {

/// Returns the offset of every byte in `ranges`.
inline std::set<uint64_t> bytes_of(const std::vector<fbemu::ByteRange>& ranges) {
  std::set<uint64_t> bytes;
  for (const fbemu::ByteRange& range : ranges) {
    for (uint64_t byte = range.begin; byte < range.end; ++byte) bytes.insert(byte);
  }
  return bytes;
}

/// Returns true if `ranges` are in order, none is empty, and no two overlap or touch.
inline bool is_sorted_and_disjoint(const std::vector<fbemu::ByteRange>& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].empty() || (i > 0 && ranges[i - 1].end >= ranges[i].begin)) return false;
  }
  return true;
}

}  // namespace unit
