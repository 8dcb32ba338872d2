#include "fbemu/damage/damage_log.h"

#include <utility>

namespace fbemu {

using base::MutexLock;

std::vector<ByteRange> DamageLog::Damage::all() const {
  std::vector<ByteRange> ranges = written;
  ranges.insert(ranges.end(), written_back.begin(), written_back.end());
  sort_and_merge(ranges);
  return ranges;
}

bool DamageLog::add_written(ByteRange range) {
  const MutexLock lock(mutex_);
  return add(written_, range);
}

bool DamageLog::add_written_back(ByteRange range) {
  const MutexLock lock(mutex_);
  return add(written_back_, range);
}

bool DamageLog::add(DamageList& list, ByteRange range) {
  if (range.empty()) return false;
  const bool was_empty = written_.empty() && written_back_.empty();
  list.add(range);
  return was_empty;
}

DamageLog::Damage DamageLog::take() {
  DamageList written;
  DamageList written_back;
  {
    const MutexLock lock(mutex_);
    std::swap(written, written_);
    std::swap(written_back, written_back_);
  }
  // Sorted without the lock, because sorting takes time.
  return {written.take(), written_back.take()};
}

bool DamageLog::empty() const {
  const MutexLock lock(mutex_);
  return written_.empty() && written_back_.empty();
}

}  // namespace fbemu
