#pragma once

#include <cstdint>
#include <memory>

#include "drmclient/kms/drm_device.h"
#include "drmclient/mapping/buffer_mapping.h"
#include "drmclient/mapping/cpu_access.h"
#include "drmclient/mapping/mapping_cache.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// The owned GEM handle of a dumb buffer.
class GemHandle {
 public:
  /// Takes ownership of `handle`; `device` must outlive this object.
  GemHandle(const DrmDevice& device, uint32_t handle) : device_(&device), handle_(handle) {}
  /// Takes the handle from `other`, which owns none afterwards.
  GemHandle(GemHandle&& other) noexcept;
  GemHandle& operator=(GemHandle&&) = delete;
  GemHandle(const GemHandle&) = delete;
  GemHandle& operator=(const GemHandle&) = delete;
  ~GemHandle();
  /// Returns the handle, which is valid on the device's own descriptor.
  [[nodiscard]] uint32_t get() const { return handle_; }

 private:
  const DrmDevice* device_;
  uint32_t handle_;  ///< 0 if moved from
};

/// An owned KMS framebuffer object, which planes and CRTCs scan out. The destructor turns off CRTCs that
/// still show it.
class KmsFramebuffer {
 public:
  /// Takes ownership of the framebuffer `id`; `device` must outlive this object.
  KmsFramebuffer(const DrmDevice& device, uint32_t id) : device_(&device), id_(id) {}
  /// Takes the framebuffer from `other`, which owns none afterwards.
  KmsFramebuffer(KmsFramebuffer&& other) noexcept;
  KmsFramebuffer& operator=(KmsFramebuffer&&) = delete;
  KmsFramebuffer(const KmsFramebuffer&) = delete;
  KmsFramebuffer& operator=(const KmsFramebuffer&) = delete;
  ~KmsFramebuffer();
  /// Returns the KMS object id.
  [[nodiscard]] uint32_t id() const { return id_; }

 private:
  const DrmDevice* device_;
  uint32_t id_;  ///< 0 if moved from
};

/// A dumb buffer with its framebuffer object. It keeps the card's node open.
class DumbBuffer final : public ScanoutBuffer, private MappingSource {
 public:
  /// Creates a dumb buffer and its framebuffer. Errors: EINVAL (a size or format that the driver does not
  /// support), ENOMEM, ENOSPC.
  [[nodiscard]] static base::Result<std::unique_ptr<DumbBuffer>> create(
      std::shared_ptr<const DrmDevice> device, Size size, PixelFormat format,
      const std::shared_ptr<MappingCache>& cache, MappingChoice mapping);
  DumbBuffer(const DumbBuffer&) = delete;
  DumbBuffer& operator=(const DumbBuffer&) = delete;
  ~DumbBuffer() override = default;

  /// Returns the KMS object id of the framebuffer.
  [[nodiscard]] uint32_t framebuffer_id() const { return framebuffer_.id(); }
  /// Returns the card's open node.
  [[nodiscard]] const DrmDevice& device() const { return *device_; }
  /// Returns the object that maps the buffer and uploads its shadow.
  [[nodiscard]] CpuAccess& cpu_access() { return cpu_access_; }
  /// Returns the same object, read-only.
  [[nodiscard]] const CpuAccess& cpu_access() const { return cpu_access_; }

  void unmap() override { cpu_access_.unmap(); }

 private:
  struct Shape {
    Size size;
    PixelFormat format;
    uint32_t pitch_bytes;
  };
  DumbBuffer(std::shared_ptr<const DrmDevice> device, const Shape& shape, size_t size_bytes, GemHandle handle,
             KmsFramebuffer framebuffer, const std::shared_ptr<MappingCache>& cache, MappingChoice mapping);
  base::Result<std::byte*> begin_mapping(AccessMode mode) override { return cpu_access_.begin(mode); }
  base::Result<void> end_mapping(AccessMode mode) override { return cpu_access_.end(mode); }
  base::Result<std::unique_ptr<BufferMapping>> map_dumb() override;
  base::Result<std::unique_ptr<BufferMapping>> map_dma_buf() override;

  // Declared in the order of creation; destroyed in the reverse order.
  std::shared_ptr<const DrmDevice> device_;
  size_t size_bytes_;
  GemHandle handle_;
  KmsFramebuffer framebuffer_;
  CpuAccess cpu_access_;
};

}  // namespace drmclient
