#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <utility>

#include "base/result.h"

namespace base {

/// An owned mmap(2) mapping; the destructor unmaps it.
class MemoryMap {
 public:
  MemoryMap() = default;
  /// Takes the mapping from `other`, which owns none afterwards.
  MemoryMap(MemoryMap&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  /// Unmaps the owned mapping and takes that of `other`, which owns none afterwards.
  MemoryMap& operator=(MemoryMap&& other) noexcept {
    if (this != &other) {
      reset();
      address_ = std::exchange(other.address_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  MemoryMap(const MemoryMap&) = delete;
  MemoryMap& operator=(const MemoryMap&) = delete;
  ~MemoryMap() { reset(); }

  /// Maps `size` bytes of `fd` from `offset`, shared, with `protection` (PROT_*). Errors: those of mmap(2).
  static Result<MemoryMap> map(int fd, size_t size, int protection, off_t offset = 0) {
    void* address = ::mmap(nullptr, size, protection, MAP_SHARED, fd, offset);
    if (address == MAP_FAILED) return failure_from_errno();
    MemoryMap map;
    map.address_ = address;
    map.size_ = size;
    return map;
  }

  /// Returns true if the object owns a mapping.
  [[nodiscard]] explicit operator bool() const { return address_ != nullptr; }
  /// Returns the first byte; null without a mapping.
  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(address_); }
  /// Returns the size in bytes; 0 without a mapping.
  [[nodiscard]] size_t size() const { return size_; }
  /// Returns all bytes of the mapping.
  [[nodiscard]] std::span<std::byte> bytes() const { return {data(), size_}; }
  /// Unmaps the mapping now.
  void reset() {
    if (address_ != nullptr) ::munmap(address_, size_);
    address_ = nullptr;
    size_ = 0;
  }

 private:
  void* address_ = nullptr;
  size_t size_ = 0;
};

}  // namespace base
