#pragma once

#include <algorithm>
#include <cstdint>

namespace fbemu {

/// A half-open range of bytes in the framebuffer's memory.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
  [[nodiscard]] bool empty() const { return begin >= end; }
  [[nodiscard]] uint64_t size() const { return empty() ? 0 : end - begin; }
  [[nodiscard]] ByteRange clipped_to(const ByteRange& bounds) const {
    return {std::max(begin, bounds.begin), std::min(end, bounds.end)};
  }
};

/// The unit in which the kernel tracks changes made through a mapping, in bytes.
inline constexpr uint64_t page_size = 4096;

[[nodiscard]] constexpr uint64_t round_up_to_page(uint64_t bytes) {
  return (bytes + page_size - 1) / page_size * page_size;
}

}  // namespace fbemu
