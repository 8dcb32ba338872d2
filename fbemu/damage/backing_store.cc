#include "fbemu/damage/backing_store.h"

#include <sys/mman.h>

#include <cstring>
#include <string>
#include <system_error>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

BackingStore::BackingStore(uint64_t size_bytes)
    : memory_(::memfd_create("fbemu-shadow", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  const uint64_t rounded = round_up_to_page(size_bytes);
  const std::string what = "cannot allocate " + std::to_string(rounded) + " bytes of framebuffer memory";
  if (!memory_) throw std::system_error(errno, std::generic_category(), what);
  if (::ftruncate(memory_.get(), static_cast<off_t>(rounded)) != 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  auto map = base::MemoryMap::map(memory_.get(), rounded, PROT_READ | PROT_WRITE);
  if (!map) throw std::system_error(map.error(), what);
  map_ = std::move(*map);
}

void BackingStore::store(uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::lock_guard lock(mutex_);
  std::memcpy(map_.data() + offset, bytes.data(), bytes.size());
}

void BackingStore::load(uint64_t offset, std::span<std::byte> bytes) const {
  // An empty span may have no address, and its offset may be anywhere.
  if (bytes.empty()) return;
  const std::lock_guard lock(mutex_);
  std::memcpy(bytes.data(), map_.data() + offset, bytes.size());
}

void BackingStore::with_bytes(const std::function<void(std::span<const std::byte>)>& look) const {
  const std::lock_guard lock(mutex_);
  look(map_.bytes());
}

}  // namespace fbemu
