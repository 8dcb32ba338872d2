#pragma once

#include <cerrno>
#include <cstdint>
#include <span>

#include "fbemu/frontend/user_memory.h"
#include "tests/support/fake_user_memory.h"

namespace fuzz {

/// A program's memory in which one access fails, as when another thread unmaps a part during the ioctl.
class ScriptedMemory final : public fbemu::UserMemory {
 public:
  static constexpr size_t size = 8192;

  base::Result<void> read(uint64_t address, std::span<std::byte> into) override {
    if (fails()) return base::failure(EFAULT);
    return memory_.read(address, into);
  }
  base::Result<void> write(uint64_t address, std::span<const std::byte> from) override {
    if (fails()) return base::failure(EFAULT);
    return memory_.write(address, from);
  }

  /// Makes the access after `successes` further ones fail.
  void fail_after(unsigned successes) { successes_left_ = successes + 1; }
  void fail_never() { successes_left_ = 0; }
  /// Stores bytes at an offset, as the program does; drops those beyond the end.
  void store(size_t offset, std::span<const std::byte> bytes) {
    for (size_t i = 0; i < bytes.size() && offset + i < size; ++i) {
      memory_.put(unit::FakeUserMemory::base + offset + i, bytes[i]);
    }
  }
  [[nodiscard]] unit::FakeUserMemory& contents() { return memory_; }

 private:
  bool fails() { return successes_left_ != 0 && --successes_left_ == 0; }

  unit::FakeUserMemory memory_{size};
  unsigned successes_left_ = 0;
};

}  // namespace fuzz
