#pragma once

#include <cstdint>
#include <memory>

#include "drmclient/kms/drm_device.h"
#include "drmclient/mapping/buffer_mapping.h"
#include "drmclient/mapping/cpu_access.h"
#include "drmclient/mapping/mapping_cache.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// Owns a dumb buffer's GEM handle.
class GemHandle {
 public:
  /// Owns `handle` from now on; `device` must outlive it.
  GemHandle(const DrmDevice& device, uint32_t handle) : device_(&device), handle_(handle) {}
  /// Leaves `other` with nothing to own.
  GemHandle(GemHandle&& other) noexcept;
  GemHandle& operator=(GemHandle&&) = delete;
  GemHandle(const GemHandle&) = delete;
  GemHandle& operator=(const GemHandle&) = delete;
  ~GemHandle();
  /// The handle, which is good on the device's own descriptor.
  [[nodiscard]] uint32_t get() const { return handle_; }

 private:
  const DrmDevice* device_;
  uint32_t handle_;  ///< 0 where moved from
};

/// Owns a KMS framebuffer object: what a plane or CRTC can be told to show. Its end turns off what still
/// shows it.
class KmsFramebuffer {
 public:
  /// Owns the framebuffer `id` from now on; `device` must outlive it.
  KmsFramebuffer(const DrmDevice& device, uint32_t id) : device_(&device), id_(id) {}
  /// Leaves `other` with nothing to own.
  KmsFramebuffer(KmsFramebuffer&& other) noexcept;
  KmsFramebuffer& operator=(KmsFramebuffer&&) = delete;
  KmsFramebuffer(const KmsFramebuffer&) = delete;
  KmsFramebuffer& operator=(const KmsFramebuffer&) = delete;
  ~KmsFramebuffer();
  /// KMS's object id.
  [[nodiscard]] uint32_t id() const { return id_; }

 private:
  const DrmDevice* device_;
  uint32_t id_;  ///< 0 where moved from
};

/// A dumb buffer with its framebuffer object. Keeps the card's node open.
class DumbBuffer final : public ScanoutBuffer, private MappingSource {
 public:
  /// Errors: EINVAL (a size or format that the driver does not take), ENOMEM, ENOSPC.
  [[nodiscard]] static base::Result<std::unique_ptr<DumbBuffer>> create(
      std::shared_ptr<const DrmDevice> device, Size size, PixelFormat format,
      const std::shared_ptr<MappingCache>& cache, MappingChoice mapping);
  DumbBuffer(const DumbBuffer&) = delete;
  DumbBuffer& operator=(const DumbBuffer&) = delete;
  ~DumbBuffer() override = default;

  /// KMS's object id of the framebuffer.
  [[nodiscard]] uint32_t framebuffer_id() const { return framebuffer_.id(); }
  /// The card's open node.
  [[nodiscard]] const DrmDevice& device() const { return *device_; }
  /// How the CPU reaches it, and the uploads that come before the driver is told.
  [[nodiscard]] CpuAccess& cpu_access() { return cpu_access_; }
  /// The same, to ask.
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

  // In the order in which they must be made; released in the other.
  std::shared_ptr<const DrmDevice> device_;
  size_t size_bytes_;
  GemHandle handle_;
  KmsFramebuffer framebuffer_;
  CpuAccess cpu_access_;
};

}  // namespace drmclient
