#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fbemu {

/// The memory of the program whose request is being answered; good until the answer is sent.
class UserMemory {
 public:
  virtual ~UserMemory() = default;
  /// Copies from the program's `address`. Returns 0, or a positive errno: EFAULT where not all of it can be
  /// read, EPERM where the program's memory cannot be reached at all.
  virtual int read(uint64_t address, std::span<std::byte> into) = 0;
  /// Copies to the program's `address`. Returns as read() does; part may have been written on EFAULT.
  virtual int write(uint64_t address, std::span<const std::byte> from) = 0;
};

/// Checks that all `size` bytes from the program's `address` on can be read, and keeps none of them. Returns
/// as UserMemory::read() does.
[[nodiscard]] int probe(UserMemory& memory, uint64_t address, uint64_t size);

/// How the program lays out structures with pointers and longs in them.
enum class Abi { lp64, ilp32 };

}  // namespace fbemu
