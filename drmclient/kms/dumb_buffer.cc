#include "drmclient/kms/dumb_buffer.h"

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <array>
#include <utility>

#include "drmclient/kms/gem_mapping.h"

namespace drmclient {
namespace {

/// Alignment of the width: pixman requires a pitch of a multiple of 4 bytes. Drivers add only the padding
/// that they need themselves (1023 pixels of RG24 would have 3069 bytes), so the buffer is made wider.
constexpr uint32_t width_alignment_pixels = 4;
constexpr uint32_t pitch_alignment_bytes = 4;

}  // namespace

GemHandle::GemHandle(GemHandle&& other) noexcept
    : device_(other.device_), handle_(std::exchange(other.handle_, 0)) {}

GemHandle::~GemHandle() {
  if (handle_ != 0) static_cast<void>(::drmModeDestroyDumbBuffer(device_->fd(), handle_));
}

KmsFramebuffer::KmsFramebuffer(KmsFramebuffer&& other) noexcept
    : device_(other.device_), id_(std::exchange(other.id_, 0)) {}

KmsFramebuffer::~KmsFramebuffer() {
  if (id_ != 0) static_cast<void>(::drmModeRmFB(device_->fd(), id_));
}

DumbBuffer::DumbBuffer(std::shared_ptr<const DrmDevice> device, const Shape& shape, size_t size_bytes,
                       GemHandle handle, KmsFramebuffer framebuffer,
                       const std::shared_ptr<MappingCache>& cache, MappingChoice mapping)
    : ScanoutBuffer(shape.size, shape.format, shape.pitch_bytes),
      device_(std::move(device)),
      size_bytes_(size_bytes),
      handle_(std::move(handle)),
      framebuffer_(std::move(framebuffer)),
      cpu_access_(*this, *this, cache, size_bytes, mapping) {}

base::Result<std::unique_ptr<DumbBuffer>> DumbBuffer::create(std::shared_ptr<const DrmDevice> device,
                                                             Size size, PixelFormat format,
                                                             const std::shared_ptr<MappingCache>& cache,
                                                             MappingChoice mapping) {
  constexpr uint32_t bits_per_byte = 8;
  const uint32_t aligned_width =
      (size.width + width_alignment_pixels - 1) / width_alignment_pixels * width_alignment_pixels;
  uint32_t name = 0;
  uint32_t pitch = 0;
  uint64_t bytes = 0;
  BASE_TRY(drm_result(::drmModeCreateDumbBuffer(device->fd(), aligned_width, size.height,
                                                bytes_per_pixel(format) * bits_per_byte, 0, &name, &pitch,
                                                &bytes)));
  GemHandle handle(*device, name);
  if (pitch % pitch_alignment_bytes != 0) return base::failure(EINVAL);

  const std::array<uint32_t, 4> handles{name};
  const std::array<uint32_t, 4> pitches{pitch};
  const std::array<uint32_t, 4> offsets{};
  uint32_t id = 0;
  BASE_TRY(drm_result(::drmModeAddFB2(device->fd(), size.width, size.height, static_cast<uint32_t>(format),
                                      handles.data(), pitches.data(), offsets.data(), &id, 0)));
  KmsFramebuffer framebuffer(*device, id);
  return std::unique_ptr<DumbBuffer>(new DumbBuffer(std::move(device), {size, format, pitch},
                                                    static_cast<size_t>(bytes), std::move(handle),
                                                    std::move(framebuffer), cache, mapping));
}

base::Result<std::unique_ptr<BufferMapping>> DumbBuffer::map_dumb() {
  return map_gem_dumb(*device_, handle_.get(), size_bytes_);
}

base::Result<std::unique_ptr<BufferMapping>> DumbBuffer::map_dma_buf() {
  return map_gem_dma_buf(*device_, handle_.get(), size_bytes_);
}

}  // namespace drmclient
