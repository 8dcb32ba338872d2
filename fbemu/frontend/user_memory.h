#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace fbemu {

/// The memory of the program whose request is being answered; valid until the answer is sent.
class UserMemory {
 public:
  virtual ~UserMemory() = default;
  /// Copies from the program's `address`. Returns 0 or a positive errno: EFAULT if a part of the range cannot
  /// be read, EPERM if the kernel denies access to the program's memory.
  virtual int read(uint64_t address, std::span<std::byte> into) = 0;
  /// Copies to the program's `address`. Returns as read() does; on EFAULT, part may have been written.
  virtual int write(uint64_t address, std::span<const std::byte> from) = 0;
};

/// Reads `object` from the program's `address`. Returns as UserMemory::read() does.
template <typename T>
[[nodiscard]] int copy_from_user(UserMemory& memory, uint64_t address, T& object) {
  static_assert(std::is_trivially_copyable_v<T>);
  return memory.read(address, std::as_writable_bytes(std::span(&object, 1)));
}

/// Writes `object` to the program's `address`. Returns as UserMemory::write() does.
template <typename T>
[[nodiscard]] int copy_to_user(UserMemory& memory, uint64_t address, const T& object) {
  static_assert(std::is_trivially_copyable_v<T>);
  return memory.write(address, std::as_bytes(std::span(&object, 1)));
}

/// Checks that all `size` bytes from the program's `address` on can be read, without storing them. Returns as
/// UserMemory::read() does.
[[nodiscard]] int probe(UserMemory& memory, uint64_t address, uint64_t size);

/// The layout of the program's structures that contain pointers and longs.
enum class Abi { lp64, ilp32 };

}  // namespace fbemu
