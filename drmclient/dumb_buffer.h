#pragma once

#include <cstdint>
#include <memory>

#include "drmclient/buffer_mapping.h"
#include "drmclient/drm_device.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// Owns a dumb buffer's GEM handle.
class GemHandle {
 public:
  GemHandle(const DrmDevice& device, uint32_t handle) : device_(&device), handle_(handle) {}
  GemHandle(GemHandle&& other) noexcept;
  GemHandle& operator=(GemHandle&&) = delete;
  GemHandle(const GemHandle&) = delete;
  GemHandle& operator=(const GemHandle&) = delete;
  ~GemHandle();
  [[nodiscard]] uint32_t get() const { return handle_; }

 private:
  const DrmDevice* device_;
  uint32_t handle_;  ///< 0 where moved from
};

/// Owns a KMS framebuffer object: what a plane or CRTC can be told to show. Its end turns off what still
/// shows it.
class KmsFramebuffer {
 public:
  KmsFramebuffer(const DrmDevice& device, uint32_t id) : device_(&device), id_(id) {}
  KmsFramebuffer(KmsFramebuffer&& other) noexcept;
  KmsFramebuffer& operator=(KmsFramebuffer&&) = delete;
  KmsFramebuffer(const KmsFramebuffer&) = delete;
  KmsFramebuffer& operator=(const KmsFramebuffer&) = delete;
  ~KmsFramebuffer();
  [[nodiscard]] uint32_t id() const { return id_; }

 private:
  const DrmDevice* device_;
  uint32_t id_;  ///< 0 where moved from
};

/// A dumb buffer with its framebuffer object. Keeps the card's node open.
class DumbBuffer final : public ScanoutBuffer {
 public:
  /// Errors: EINVAL (a size or format that the driver does not take), ENOMEM, ENOSPC.
  [[nodiscard]] static Result<std::unique_ptr<DumbBuffer>> create(std::shared_ptr<const DrmDevice> device,
                                                                  Size size, PixelFormat format,
                                                                  MappingKind mapping);
  DumbBuffer(const DumbBuffer&) = delete;
  DumbBuffer& operator=(const DumbBuffer&) = delete;
  ~DumbBuffer() override = default;

  [[nodiscard]] uint32_t framebuffer_id() const { return framebuffer_.id(); }
  [[nodiscard]] const DrmDevice& device() const { return *device_; }
  /// What is used: map_dumb also where the driver turned out to be unable to map a dma-buf.
  [[nodiscard]] MappingKind mapping_kind() const { return kind_; }

  void unmap() override {
    if (!in_access()) mapping_.reset();
  }

 private:
  struct Shape {
    Size size;
    PixelFormat format;
    uint32_t pitch_bytes;
  };
  DumbBuffer(std::shared_ptr<const DrmDevice> device, const Shape& shape, size_t size_bytes, GemHandle handle,
             KmsFramebuffer framebuffer, MappingKind mapping);
  Result<std::byte*> begin_mapping(AccessMode mode) override;
  Result<void> end_mapping(AccessMode mode) override;
  Result<std::unique_ptr<BufferMapping>> make_mapping();

  // In the order in which they must be made; released in the other.
  std::shared_ptr<const DrmDevice> device_;
  size_t size_bytes_;
  GemHandle handle_;
  KmsFramebuffer framebuffer_;
  MappingKind kind_;
  std::unique_ptr<BufferMapping> mapping_;
};

}  // namespace drmclient
