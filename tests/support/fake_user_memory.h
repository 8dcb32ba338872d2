#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "fbemu/damage/byte_range.h"
#include "fbemu/frontend/user_memory.h"

namespace unit {

/// A program's memory with optional holes and read-only parts. It has `size` bytes at `base`, initially 0xee.
class FakeUserMemory final : public fbemu::UserMemory {
 public:
  static constexpr uint64_t base = 0x1000;
  static constexpr std::byte untouched{0xee};

  explicit FakeUserMemory(size_t size = 8192) : bytes_(size, untouched) {}

  [[nodiscard]] base::Result<void> read(uint64_t address, std::span<std::byte> into) override {
    ++reads;
    largest_read = std::max(largest_read, into.size());
    if (!reaches(address, into.size(), holes_)) return base::failure(EFAULT);
    std::memcpy(into.data(), bytes_.data() + (address - base), into.size());
    return {};
  }
  [[nodiscard]] base::Result<void> write(uint64_t address, std::span<const std::byte> from) override {
    ++writes;
    if (!reaches(address, from.size(), holes_) || !reaches(address, from.size(), read_only_))
      return base::failure(EFAULT);
    std::memcpy(bytes_.data() + (address - base), from.data(), from.size());
    return {};
  }

  /// Makes the addresses from `begin` to `end` inaccessible.
  void make_hole(uint64_t begin, uint64_t end) { holes_.push_back({begin, end}); }
  void make_read_only(uint64_t begin, uint64_t end) { read_only_.push_back({begin, end}); }

  template <typename T>
  void put(uint64_t address, const T& object) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(bytes_.data() + (address - base), &object, sizeof object);
  }
  template <typename T>
  [[nodiscard]] T get(uint64_t address) const {
    T object;
    std::memcpy(&object, bytes_.data() + (address - base), sizeof object);
    return object;
  }
  [[nodiscard]] std::span<const std::byte> bytes(uint64_t address, size_t size) const {
    return std::span(bytes_).subspan(address - base, size);
  }
  /// Returns true if none of these bytes was written.
  [[nodiscard]] bool is_untouched(uint64_t address, size_t size) const {
    for (const std::byte byte : bytes(address, size)) {
      if (byte != untouched) return false;
    }
    return true;
  }

  int reads = 0;
  size_t largest_read = 0;  ///< size of the largest read, in bytes
  int writes = 0;

 private:
  [[nodiscard]] bool reaches(uint64_t address, size_t size,
                             const std::vector<fbemu::ByteRange>& but_not) const {
    if (address < base || address - base > bytes_.size() || size > bytes_.size() - (address - base))
      return false;
    for (const fbemu::ByteRange& part : but_not) {
      if (!part.clipped_to({address, address + size}).empty()) return false;
    }
    return true;
  }

  std::vector<std::byte> bytes_;
  std::vector<fbemu::ByteRange> holes_;
  std::vector<fbemu::ByteRange> read_only_;
};

}  // namespace unit
