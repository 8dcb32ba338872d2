#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "base/result.h"

namespace fbemu {

/// The memory of the program whose request is being answered; valid until the answer is sent.
class UserMemory {
 public:
  virtual ~UserMemory() = default;
  /// Copies from the program's `address`. Errors: EFAULT if a part of the range cannot be read; EPERM if the
  /// kernel denies access to the program's memory.
  [[nodiscard]] virtual base::Result<void> read(uint64_t address, std::span<std::byte> into) = 0;
  /// Copies to the program's `address`. Errors: those of read(); on EFAULT, part may have been written.
  [[nodiscard]] virtual base::Result<void> write(uint64_t address, std::span<const std::byte> from) = 0;
};

/// Returns the object at the program's `address`. Errors: those of UserMemory::read().
template <typename T>
[[nodiscard]] base::Result<T> copy_from_user(UserMemory& memory, uint64_t address) {
  static_assert(std::is_trivially_copyable_v<T>);
  T object{};
  BASE_TRY(memory.read(address, std::as_writable_bytes(std::span(&object, 1))));
  return object;
}

/// Writes `object` to the program's `address`. Errors: those of UserMemory::write().
template <typename T>
[[nodiscard]] base::Result<void> copy_to_user(UserMemory& memory, uint64_t address, const T& object) {
  static_assert(std::is_trivially_copyable_v<T>);
  return memory.write(address, std::as_bytes(std::span(&object, 1)));
}

/// Checks that all `size` bytes from the program's `address` on can be read, without storing them. Errors:
/// those of UserMemory::read().
[[nodiscard]] base::Result<void> probe(UserMemory& memory, uint64_t address, uint64_t size);

/// The layout of the program's structures that contain pointers and longs.
enum class Abi { lp64, ilp32 };

}  // namespace fbemu
