#include "drmclient/gem_mapping.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include <utility>

#include "drmclient/memory_map.h"
#include "drmclient/unique_fd.h"

namespace drmclient {
namespace {

class GemDumbMapping final : public BufferMapping {
 public:
  explicit GemDumbMapping(MemoryMap map) : map_(std::move(map)) {}
  Result<void> begin(AccessMode) override { return {}; }
  Result<void> end(AccessMode) override { return {}; }
  [[nodiscard]] std::byte* data() const override { return map_.data(); }

 private:
  MemoryMap map_;
};

class GemDmaBufMapping final : public DmaBufMapping {
 public:
  GemDmaBufMapping(UniqueFd dma_buf, MemoryMap map) : dma_buf_(std::move(dma_buf)), map_(std::move(map)) {}
  [[nodiscard]] std::byte* data() const override { return map_.data(); }

 private:
  int sync(uint64_t flags) override {
    dma_buf_sync request{};
    request.flags = flags;
    return ::ioctl(dma_buf_.get(), DMA_BUF_IOCTL_SYNC, &request) == 0 ? 0 : errno;
  }

  UniqueFd dma_buf_;
  MemoryMap map_;
};

}  // namespace

Result<std::unique_ptr<BufferMapping>> map_gem_dumb(const DrmDevice& device, uint32_t handle,
                                                    size_t size_bytes) {
  uint64_t offset = 0;
  if (const auto prepared = drm_result(::drmModeMapDumbBuffer(device.fd(), handle, &offset)); !prepared) {
    return tl::make_unexpected(prepared.error());
  }
  auto map = MemoryMap::map(device.fd(), size_bytes, PROT_READ | PROT_WRITE, static_cast<off_t>(offset));
  if (!map) return tl::make_unexpected(map.error());
  return std::make_unique<GemDumbMapping>(std::move(*map));
}

Result<std::unique_ptr<BufferMapping>> map_gem_dma_buf(const DrmDevice& device, uint32_t handle,
                                                       size_t size_bytes) {
  if (!device.can_export() || device.driver() == "vmwgfx") return failure(EOPNOTSUPP);
  int exported = -1;
  const int returned = ::drmPrimeHandleToFD(device.fd(), handle, DRM_CLOEXEC | DRM_RDWR, &exported);
  if (const auto done = drm_result(returned); !done) return tl::make_unexpected(done.error());
  UniqueFd dma_buf(exported);
  auto map = MemoryMap::map(dma_buf.get(), size_bytes, PROT_READ | PROT_WRITE);
  if (!map) return tl::make_unexpected(map.error());
  return std::make_unique<GemDmaBufMapping>(std::move(dma_buf), std::move(*map));
}

}  // namespace drmclient
