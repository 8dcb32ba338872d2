#include "fbemu/damage/backing_store.h"

#include <sys/mman.h>

#include <cstring>
#include <string>
#include <system_error>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

using base::MutexLock;

BackingStore::BackingStore(uint64_t size_bytes)
    : size_bytes_(round_up_to_page(size_bytes)),
      memory_(::memfd_create("fbemu-shadow", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  const std::string what = "cannot allocate " + std::to_string(size_bytes_) + " bytes of framebuffer memory";
  if (!memory_) throw std::system_error(errno, std::generic_category(), what);
  if (::ftruncate(memory_.get(), static_cast<off_t>(size_bytes_)) != 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  auto map = base::MemoryMap::map(memory_.get(), size_bytes_, PROT_READ | PROT_WRITE);
  if (!map) throw std::system_error(map.error(), what);
  map_ = std::move(*map);
}

void BackingStore::store(uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const MutexLock lock(mutex_);
  std::memcpy(map_.data() + offset, bytes.data(), bytes.size());
}

void BackingStore::load(uint64_t offset, std::span<std::byte> bytes) const {
  // An empty span may have no address, and its offset may be anywhere.
  if (bytes.empty()) return;
  const MutexLock lock(mutex_);
  std::memcpy(bytes.data(), map_.data() + offset, bytes.size());
}

void BackingStore::with_bytes(const std::function<void(std::span<const std::byte>)>& look) const {
  const MutexLock lock(mutex_);
  look(map_.bytes());
}

}  // namespace fbemu
