#include "drmclient/headless/headless_buffer.h"

#include <linux/dma-buf.h>

#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "drmclient/capture.h"

namespace drmclient {
namespace {

/// A mapping of the memfd that can change its address with each access. The new mapping is made before the
/// old one is unmapped, so that the addresses differ. After an access the memory is inaccessible but stays
/// mapped, so that no other mapping gets the address.
class MovingMap {
 public:
  MovingMap(int memory, const HeadlessFaults& faults, base::MemoryMap map)
      : memory_(memory), faults_(faults), map_(std::move(map)) {}

  base::Result<void> begin() {
    if (!faults_.moving) return {};
    map_ = BASE_TRY(base::MemoryMap::map(memory_, map_.size(), PROT_READ | PROT_WRITE));
    return {};
  }
  void end() const {
    if (faults_.moving) ::mprotect(map_.data(), map_.size(), PROT_NONE);
  }
  [[nodiscard]] std::span<std::byte> bytes() const { return map_.bytes(); }

 private:
  int memory_;
  const HeadlessFaults& faults_;
  base::MemoryMap map_;
};

class HeadlessDumbMapping final : public BufferMapping {
 public:
  explicit HeadlessDumbMapping(MovingMap map) : map_(std::move(map)) {}
  base::Result<void> begin(AccessMode) override { return map_.begin(); }
  base::Result<void> end(AccessMode) override {
    map_.end();
    return {};
  }
  [[nodiscard]] std::byte* data() const override { return map_.bytes().data(); }

 private:
  MovingMap map_;
};

class HeadlessDmaBufMapping final : public DmaBufMapping {
 public:
  HeadlessDmaBufMapping(MovingMap map, HeadlessFaults& faults) : map_(std::move(map)), faults_(faults) {}
  [[nodiscard]] std::byte* data() const override { return seen_.data(); }

 private:
  int sync(uint64_t flags) override {
    if (!faults_.syncs.empty()) {
      const int code = faults_.syncs.front();
      faults_.syncs.pop_front();
      if (code != 0) return code;
    }
    if ((flags & DMA_BUF_SYNC_END) == 0) {
      if (const auto begun = map_.begin(); !begun) return begun.error().value();
      seen_ = map_.bytes();
      if (faults_.incoherent) {
        cache_.assign(seen_.begin(), seen_.end());
        seen_ = cache_;
      }
      return 0;
    }
    if (faults_.incoherent && (flags & DMA_BUF_SYNC_WRITE) != 0) {
      std::memcpy(map_.bytes().data(), cache_.data(), cache_.size());
    }
    map_.end();
    return 0;
  }

  MovingMap map_;
  HeadlessFaults& faults_;
  std::vector<std::byte> cache_;  ///< used if faults_.incoherent
  std::span<std::byte> seen_;     ///< the bytes that the CPU accesses
};

}  // namespace

HeadlessBuffer::HeadlessBuffer(Size size, PixelFormat format, uint32_t pitch_bytes, base::UniqueFd memory,
                               const std::shared_ptr<MappingCache>& cache, MappingChoice mapping,
                               HeadlessFaults& faults)
    : ScanoutBuffer(size, format, pitch_bytes),
      memory_(std::move(memory)),
      size_bytes_(size_t{pitch_bytes} * size.height),
      faults_(faults),
      cpu_access_(*this, *this, cache, size_bytes_, mapping) {}

base::Result<std::byte*> HeadlessBuffer::begin_mapping(AccessMode mode) {
  if (faults_.refuse_accesses != 0) return base::failure(faults_.refuse_accesses);
  in_begin_ = true;
  auto begun = cpu_access_.begin(mode);
  in_begin_ = false;
  return begun;
}

int HeadlessBuffer::refusal(int of_this_kind) const {
  return in_begin_ && faults_.only_for_uploads ? EBUSY : of_this_kind;
}

base::Result<std::unique_ptr<BufferMapping>> HeadlessBuffer::map_dumb() {
  if (const int code = refusal(faults_.refuse_dumb)) return base::failure(code);
  auto map = BASE_TRY(base::MemoryMap::map(memory_.get(), size_bytes_, PROT_READ | PROT_WRITE));
  return std::make_unique<HeadlessDumbMapping>(MovingMap(memory_.get(), faults_, std::move(map)));
}

base::Result<std::unique_ptr<BufferMapping>> HeadlessBuffer::map_dma_buf() {
  if (const int code = refusal(faults_.refuse_dma_buf)) return base::failure(code);
  auto map = BASE_TRY(base::MemoryMap::map(memory_.get(), size_bytes_, PROT_READ | PROT_WRITE));
  return std::make_unique<HeadlessDmaBufMapping>(MovingMap(memory_.get(), faults_, std::move(map)), faults_);
}

base::Result<Capture> HeadlessBuffer::scan_out(const Rect& area) {
  if (faults_.refuse_accesses != 0) return base::failure(faults_.refuse_accesses);
  if (!scanned_out_) {
    scanned_out_ = BASE_TRY(base::MemoryMap::map(memory_.get(), size_bytes_, PROT_READ));
  }
  return capture_pixels(scanned_out_.data(), *this, area);
}

}  // namespace drmclient
