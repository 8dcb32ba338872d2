#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "drmclient/drm_device.h"
#include "drmclient/memory_map.h"
#include "drmclient/result.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// How the CPU reaches scan-out buffers: map_dumb() or map_dma_buf().
enum class MappingKind { map_dumb, dma_buf };

/// A way for the CPU to reach a GEM buffer. Kept from one access to the next; destroying it unmaps.
class BufferMapping {
 public:
  BufferMapping() = default;
  BufferMapping(const BufferMapping&) = delete;
  BufferMapping& operator=(const BufferMapping&) = delete;
  virtual ~BufferMapping() = default;

  /// Brackets an access. Errors: those of DMA_BUF_IOCTL_SYNC.
  [[nodiscard]] virtual Result<void> begin(AccessMode mode) = 0;
  [[nodiscard]] virtual Result<void> end(AccessMode mode) = 0;
  [[nodiscard]] virtual std::byte* data() const = 0;
};

/// Maps the buffer `handle` of `size_bytes` through the card's own node: DRM_IOCTL_MODE_MAP_DUMB and mmap.
/// Every driver with dumb buffers has it, and vmwgfx, which finds out what the CPU wrote by looking at the
/// mappings of its node, must not be written to in any other way.
[[nodiscard]] Result<std::unique_ptr<BufferMapping>> map_dumb(const DrmDevice& device, uint32_t handle,
                                                              size_t size_bytes);

/// Exports the buffer as a dma-buf and maps that, with DMA_BUF_IOCTL_SYNC around each access. The descriptor
/// lives as long as the mapping and is seen by no one else. Errors: ENOSYS, ENOENT or EOPNOTSUPP where the
/// driver does not export or map (bochs, qxl and vmwgfx on 6.1).
[[nodiscard]] Result<std::unique_ptr<BufferMapping>> map_dma_buf(const DrmDevice& device, uint32_t handle,
                                                                 size_t size_bytes);

}  // namespace drmclient
