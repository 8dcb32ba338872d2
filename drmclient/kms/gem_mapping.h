#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "drmclient/kms/drm_device.h"
#include "drmclient/mapping/buffer_mapping.h"

namespace drmclient {

/// Maps the GEM buffer `handle` of `size_bytes` through the card's own node: DRM_IOCTL_MODE_MAP_DUMB and
/// mmap(2). Every driver with dumb buffers supports it. Errors: those of the two calls.
[[nodiscard]] base::Result<std::unique_ptr<BufferMapping>> map_gem_dumb(const DrmDevice& device,
                                                                        uint32_t handle, size_t size_bytes);

/// Exports the buffer as a dma-buf and maps it. The descriptor exists as long as the mapping and is private
/// to it. Errors: ENOSYS, ENOENT or EOPNOTSUPP if the driver does not export or map buffers (bochs, qxl and
/// vmwgfx on 6.1). vmwgfx is always refused, because it detects written pixels in the mappings of its node
/// (vmw_bo_dirty_scan()).
[[nodiscard]] base::Result<std::unique_ptr<BufferMapping>> map_gem_dma_buf(const DrmDevice& device,
                                                                           uint32_t handle,
                                                                           size_t size_bytes);

}  // namespace drmclient
