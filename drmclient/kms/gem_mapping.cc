#include "drmclient/kms/gem_mapping.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include <utility>

#include "base/memory_map.h"
#include "base/unique_fd.h"

namespace drmclient {
namespace {

class GemDumbMapping final : public BufferMapping {
 public:
  explicit GemDumbMapping(base::MemoryMap map) : map_(std::move(map)) {}
  base::Result<void> begin(AccessMode) override { return {}; }
  base::Result<void> end(AccessMode) override { return {}; }
  [[nodiscard]] std::byte* data() const override { return map_.data(); }

 private:
  base::MemoryMap map_;
};

class GemDmaBufMapping final : public DmaBufMapping {
 public:
  GemDmaBufMapping(base::UniqueFd dma_buf, base::MemoryMap map)
      : dma_buf_(std::move(dma_buf)), map_(std::move(map)) {}
  [[nodiscard]] std::byte* data() const override { return map_.data(); }

 private:
  base::Result<void> sync(uint64_t flags) override {
    dma_buf_sync request{};
    request.flags = flags;
    if (::ioctl(dma_buf_.get(), DMA_BUF_IOCTL_SYNC, &request) != 0) return base::failure_from_errno();
    return {};
  }

  base::UniqueFd dma_buf_;
  base::MemoryMap map_;
};

}  // namespace

base::Result<std::unique_ptr<BufferMapping>> map_gem_dumb(const DrmDevice& device, uint32_t handle,
                                                          size_t size_bytes) {
  uint64_t offset = 0;
  BASE_TRY(drm_result(::drmModeMapDumbBuffer(device.fd(), handle, &offset)));
  auto map = BASE_TRY(
      base::MemoryMap::map(device.fd(), size_bytes, PROT_READ | PROT_WRITE, static_cast<off_t>(offset)));
  return std::make_unique<GemDumbMapping>(std::move(map));
}

base::Result<std::unique_ptr<BufferMapping>> map_gem_dma_buf(const DrmDevice& device, uint32_t handle,
                                                             size_t size_bytes) {
  if (!device.can_export() || device.driver() == "vmwgfx") return base::failure(EOPNOTSUPP);
  int exported = -1;
  BASE_TRY(drm_result(::drmPrimeHandleToFD(device.fd(), handle, DRM_CLOEXEC | DRM_RDWR, &exported)));
  base::UniqueFd dma_buf(exported);
  auto map = BASE_TRY(base::MemoryMap::map(dma_buf.get(), size_bytes, PROT_READ | PROT_WRITE));
  return std::make_unique<GemDmaBufMapping>(std::move(dma_buf), std::move(map));
}

}  // namespace drmclient
