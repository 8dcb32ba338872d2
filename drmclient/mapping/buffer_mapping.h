#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// A mapping of one buffer. Kept from one access to the next; destroying it unmaps.
class BufferMapping {
 public:
  BufferMapping() = default;
  BufferMapping(const BufferMapping&) = delete;
  BufferMapping& operator=(const BufferMapping&) = delete;
  virtual ~BufferMapping() = default;

  /// Brackets an access. Errors: those of DMA_BUF_IOCTL_SYNC.
  [[nodiscard]] virtual base::Result<void> begin(AccessMode mode) = 0;
  /// The other bracket, with the mode of the first. The same errors.
  [[nodiscard]] virtual base::Result<void> end(AccessMode mode) = 0;
  /// The first byte; good from begin() to end(), and another one the next time if the mapping likes.
  [[nodiscard]] virtual std::byte* data() const = 0;
};

/// The brackets of a dma-buf: what is common to all that have them.
class DmaBufMapping : public BufferMapping {
 public:
  /// DMA_BUF_SYNC_START; tried again where a signal interrupts it.
  base::Result<void> begin(AccessMode mode) final;
  /// DMA_BUF_SYNC_END, likewise.
  base::Result<void> end(AccessMode mode) final;

 private:
  [[nodiscard]] base::Result<void> bracket(uint64_t edge, AccessMode mode);
  /// One DMA_BUF_IOCTL_SYNC with `flags` (DMA_BUF_SYNC_*). Returns 0 or the errno.
  [[nodiscard]] virtual int sync(uint64_t flags) = 0;
};

/// A buffer as something that can be mapped. Errors of both: those of the driver; ENODEV for a card that is
/// gone.
class MappingSource {
 public:
  MappingSource() = default;
  MappingSource(const MappingSource&) = delete;
  MappingSource& operator=(const MappingSource&) = delete;
  virtual ~MappingSource() = default;

  /// Through the card's node: DRM_IOCTL_MODE_MAP_DUMB.
  [[nodiscard]] virtual base::Result<std::unique_ptr<BufferMapping>> map_dumb() = 0;
  /// Through an exported dma-buf, whose descriptor lives no longer than the mapping.
  [[nodiscard]] virtual base::Result<std::unique_ptr<BufferMapping>> map_dma_buf() = 0;
};

}  // namespace drmclient
