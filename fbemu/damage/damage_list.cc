#include "fbemu/damage/damage_list.h"

#include <algorithm>
#include <utility>

namespace fbemu {
namespace {

/// Joins neighbours across the smallest gaps until `wanted` (1 or more) ranges remain. `ranges` must be
/// sorted and disjoint.
void join_closest(std::vector<ByteRange>& ranges, size_t wanted) {
  const size_t joins = ranges.size() - wanted;
  std::vector<std::pair<uint64_t, size_t>> gaps;
  gaps.reserve(ranges.size());
  for (size_t i = 1; i < ranges.size(); ++i) gaps.emplace_back(ranges[i].begin - ranges[i - 1].end, i);
  std::nth_element(gaps.begin(), gaps.begin() + static_cast<ptrdiff_t>(joins), gaps.end());
  std::vector<bool> join_with_last(ranges.size());
  for (size_t i = 0; i < joins; ++i) join_with_last[gaps[i].second] = true;

  size_t last = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (join_with_last[i]) {
      ranges[last].end = ranges[i].end;
    } else {
      ranges[++last] = ranges[i];
    }
  }
  ranges.resize(last + 1);
}

}  // namespace

void sort_and_merge(std::vector<ByteRange>& ranges) {
  std::erase_if(ranges, [](const ByteRange& range) { return range.empty(); });
  std::ranges::sort(ranges, {}, &ByteRange::begin);
  size_t last = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin <= ranges[last].end) {
      ranges[last].end = std::max(ranges[last].end, ranges[i].end);
    } else {
      ranges[++last] = ranges[i];
    }
  }
  if (!ranges.empty()) ranges.resize(last + 1);
}

void DamageList::add(ByteRange range) {
  // Extends the last range, because most programs write sequentially.
  if (!ranges_.empty() && ranges_.back().end == range.begin) {
    ranges_.back().end = range.end;
    return;
  }
  if (ranges_.size() >= limit_) shorten();
  ranges_.push_back(range);
}

void DamageList::shorten() {
  ++merges_;
  sort_and_merge(ranges_);
  if (ranges_.size() > limit_ / 2) join_closest(ranges_, limit_ / 2);
}

std::vector<ByteRange> DamageList::take() {
  std::vector<ByteRange> ranges = std::exchange(ranges_, {});
  sort_and_merge(ranges);
  return ranges;
}

}  // namespace fbemu
