#pragma once

#include <linux/dma-buf.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/memory_map.h"
#include "drmclient/headless/headless_buffer.h"
#include "drmclient/mapping/buffer_mapping.h"

namespace unit {

/// Faults of the mappings of a FaultyCard's buffers. An errno of 0 means no error.
struct MappingFaults {
  /// True if each access gets another address and the previous address faults.
  bool moving = false;
  /// True if a buffer can be mapped only for uploads.
  bool only_for_uploads = false;
  /// True if CPU accesses through a dma-buf mapping go to a separate cache that is written back at their end.
  bool incoherent = false;
  int refuse_accesses = 0;  ///< errno of begin_access()
  int refuse_dumb = 0;      ///< errno of mapping as a dumb buffer
  int refuse_dma_buf = 0;   ///< errno of mapping as a dma-buf
  std::deque<int> syncs;    ///< results of the next calls of DMA_BUF_IOCTL_SYNC
};

/// A mapping of a memfd that can change its address with each access. The new mapping is made before the old
/// one is unmapped, so that the addresses differ. After an access the memory is inaccessible but stays
/// mapped, so that no other mapping gets the address.
class MovingMap {
 public:
  MovingMap(int memory, const MappingFaults& faults, base::MemoryMap map)
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
  const MappingFaults& faults_;
  base::MemoryMap map_;
};

class FaultyDumbMapping final : public drmclient::BufferMapping {
 public:
  explicit FaultyDumbMapping(MovingMap map) : map_(std::move(map)) {}
  base::Result<void> begin(drmclient::AccessMode) override { return map_.begin(); }
  base::Result<void> end(drmclient::AccessMode) override {
    map_.end();
    return {};
  }
  [[nodiscard]] std::byte* data() const override { return map_.bytes().data(); }

 private:
  MovingMap map_;
};

class FaultyDmaBufMapping final : public drmclient::DmaBufMapping {
 public:
  FaultyDmaBufMapping(MovingMap map, MappingFaults& faults) : map_(std::move(map)), faults_(faults) {}
  [[nodiscard]] std::byte* data() const override { return seen_.data(); }

 private:
  base::Result<void> sync(uint64_t flags) override {
    if (!faults_.syncs.empty()) {
      const int code = faults_.syncs.front();
      faults_.syncs.pop_front();
      if (code != 0) return base::failure(code);
    }
    if ((flags & DMA_BUF_SYNC_END) == 0) {
      BASE_TRY(map_.begin());
      seen_ = map_.bytes();
      if (faults_.incoherent) {
        cache_.assign(seen_.begin(), seen_.end());
        seen_ = cache_;
      }
      return {};
    }
    if (faults_.incoherent && (flags & DMA_BUF_SYNC_WRITE) != 0) {
      std::memcpy(map_.bytes().data(), cache_.data(), cache_.size());
    }
    map_.end();
    return {};
  }

  MovingMap map_;
  MappingFaults& faults_;
  std::vector<std::byte> cache_;  ///< used if faults_.incoherent
  std::span<std::byte> seen_;     ///< the bytes that the CPU accesses
};

/// A buffer of a headless card whose mappings have faults.
class FaultyBuffer final : public drmclient::HeadlessBuffer {
 public:
  /// Makes a buffer as HeadlessBuffer does. `faults` must outlive it.
  FaultyBuffer(const Shape& shape, base::UniqueFd memory,
               const std::shared_ptr<drmclient::MappingCache>& cache, drmclient::MappingChoice mapping,
               MappingFaults& faults)
      : HeadlessBuffer(shape, std::move(memory), cache, mapping), faults_(faults) {}

 private:
  using Mapping = base::Result<std::unique_ptr<drmclient::BufferMapping>>;

  base::Result<std::byte*> begin_mapping(drmclient::AccessMode mode) override {
    if (faults_.refuse_accesses != 0) return base::failure(faults_.refuse_accesses);
    in_begin_ = true;
    auto begun = HeadlessBuffer::begin_mapping(mode);
    in_begin_ = false;
    return begun;
  }
  Mapping map_dumb() override {
    auto map = BASE_TRY(map_moving(faults_.refuse_dumb));
    return std::make_unique<FaultyDumbMapping>(std::move(map));
  }
  Mapping map_dma_buf() override {
    auto map = BASE_TRY(map_moving(faults_.refuse_dma_buf));
    return std::make_unique<FaultyDmaBufMapping>(std::move(map), faults_);
  }
  [[nodiscard]] base::Result<MovingMap> map_moving(int refusal) {
    const int code = in_begin_ && faults_.only_for_uploads ? EBUSY : refusal;
    if (code != 0) return base::failure(code);
    return MovingMap(memory(), faults_, BASE_TRY(map_memory()));
  }

  MappingFaults& faults_;
  bool in_begin_ = false;  ///< true while a mapping is made that the cache keeps
};

}  // namespace unit
