#include "fbemu/damage_log.h"

#include <algorithm>
#include <utility>

namespace fbemu {
namespace {

/// A list that reaches this length is merged; what is then still longer than half of it is rounded to pages,
/// of which a framebuffer has few. This bounds the memory that a program without a reader of its damage can
/// make us use.
constexpr size_t longest_list = 32'768;

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

std::vector<ByteRange> DamageLog::Damage::all() const {
  std::vector<ByteRange> ranges = written;
  ranges.insert(ranges.end(), written_back.begin(), written_back.end());
  sort_and_merge(ranges);
  return ranges;
}

bool DamageLog::add(std::vector<ByteRange>& list, ByteRange range) {
  if (range.empty()) return false;
  const std::lock_guard lock(mutex_);
  const bool was_empty = damage_.empty();
  // Sequential writers are the common case.
  if (!list.empty() && list.back().end == range.begin) {
    list.back().end = range.end;
    return was_empty;
  }
  if (list.size() >= longest_list) {
    sort_and_merge(list);
    if (list.size() > longest_list / 2) {
      for (ByteRange& entry : list) {
        entry = {entry.begin / page_size * page_size, round_up_to_page(entry.end)};
      }
      sort_and_merge(list);
    }
  }
  list.push_back(range);
  return was_empty;
}

DamageLog::Damage DamageLog::take() {
  Damage damage;
  {
    const std::lock_guard lock(mutex_);
    std::swap(damage, damage_);
  }
  sort_and_merge(damage.written);
  sort_and_merge(damage.written_back);
  return damage;
}

bool DamageLog::empty() const {
  const std::lock_guard lock(mutex_);
  return damage_.empty();
}

}  // namespace fbemu
