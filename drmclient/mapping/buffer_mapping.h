#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// A mapping of one buffer that can be kept between accesses. The destructor unmaps it.
class BufferMapping {
 public:
  BufferMapping() = default;
  BufferMapping(const BufferMapping&) = delete;
  BufferMapping& operator=(const BufferMapping&) = delete;
  virtual ~BufferMapping() = default;

  /// Begins an access. Errors: those of DMA_BUF_IOCTL_SYNC.
  [[nodiscard]] virtual base::Result<void> begin(AccessMode mode) = 0;
  /// Ends the access with the mode of begin(). Errors: those of DMA_BUF_IOCTL_SYNC.
  [[nodiscard]] virtual base::Result<void> end(AccessMode mode) = 0;
  /// Returns the first byte, valid from begin() to end(). The next access may have another address.
  [[nodiscard]] virtual std::byte* data() const = 0;
};

/// A mapping of a dma-buf, which calls DMA_BUF_IOCTL_SYNC at both ends of an access.
class DmaBufMapping : public BufferMapping {
 public:
  /// Issues DMA_BUF_SYNC_START, again if a signal interrupts it.
  base::Result<void> begin(AccessMode mode) final;
  /// Issues DMA_BUF_SYNC_END, again if a signal interrupts it.
  base::Result<void> end(AccessMode mode) final;

 private:
  [[nodiscard]] base::Result<void> bracket(uint64_t edge, AccessMode mode);
  /// Calls DMA_BUF_IOCTL_SYNC once with `flags` (DMA_BUF_SYNC_*). Errors: those of the ioctl.
  [[nodiscard]] virtual base::Result<void> sync(uint64_t flags) = 0;
};

/// A buffer that can be mapped. Errors of both calls: those of the driver; ENODEV if the card was unplugged.
class MappingSource {
 public:
  MappingSource() = default;
  MappingSource(const MappingSource&) = delete;
  MappingSource& operator=(const MappingSource&) = delete;
  virtual ~MappingSource() = default;

  /// Maps the buffer through the card's node: DRM_IOCTL_MODE_MAP_DUMB.
  [[nodiscard]] virtual base::Result<std::unique_ptr<BufferMapping>> map_dumb() = 0;
  /// Maps the buffer through an exported dma-buf, whose descriptor exists no longer than the mapping.
  [[nodiscard]] virtual base::Result<std::unique_ptr<BufferMapping>> map_dma_buf() = 0;
};

}  // namespace drmclient
