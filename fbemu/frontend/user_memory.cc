#include "fbemu/frontend/user_memory.h"

#include <algorithm>
#include <array>

namespace fbemu {

base::Result<void> probe(UserMemory& memory, uint64_t address, uint64_t size) {
  // On the stack, because a program can delay a read without limit and many reads may wait at once.
  std::array<std::byte, 16'384> piece;
  while (size > 0) {
    const uint64_t now = std::min<uint64_t>(size, piece.size());
    BASE_TRY(memory.read(address, std::span(piece).first(now)));
    address += now;
    size -= now;
  }
  return {};
}

}  // namespace fbemu
