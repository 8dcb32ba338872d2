#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

class ScanoutBuffer;

/// The purpose of an access to a buffer.
enum class AccessMode { read, write, read_write };

/// A CPU access to a buffer's pixels, from ScanoutBuffer::begin_access() until end() or destruction. The
/// address is valid only during this access and may be another one in the next. The access must end before
/// the buffer is destroyed.
class Access {
 public:
  /// Takes over the access of `other`, whose end has no effect afterwards.
  Access(Access&& other) noexcept;
  Access& operator=(Access&&) = delete;
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  ~Access();

  /// Returns the first byte of the first line.
  [[nodiscard]] std::byte* data() const { return data_; }
  /// Returns line `y` (0 <= y < height), which has `width * bytes_per_pixel` bytes.
  [[nodiscard]] std::span<std::byte> row(uint32_t y) const;
  /// Ends the access. If that fails, the written pixels may be incomplete. Errors: those of the driver, e.g.
  /// EIO, ENODEV. A second call has no effect.
  base::Result<void> end();

 private:
  friend class ScanoutBuffer;
  Access(ScanoutBuffer& buffer, std::byte* data, AccessMode mode)
      : buffer_(&buffer), data_(data), mode_(mode) {}
  ScanoutBuffer* buffer_;
  std::byte* data_;
  AccessMode mode_;
};

/// A linear buffer that a CRTC can scan out: a dumb buffer with its framebuffer object.
///
/// The CPU reaches the pixels only during an access, from begin_access() to its end. If the driver allows it,
/// the mapping is kept between accesses. Between accesses it may be dropped and made again at any time;
/// nothing is pinned then. Accesses do not nest. Not thread-safe: a buffer belongs to the thread that uses
/// its card.
class ScanoutBuffer {
 public:
  ScanoutBuffer(const ScanoutBuffer&) = delete;
  ScanoutBuffer& operator=(const ScanoutBuffer&) = delete;
  virtual ~ScanoutBuffer() = default;

  /// Returns the size in pixels.
  [[nodiscard]] Size size() const { return size_; }
  /// Returns the pixel format.
  [[nodiscard]] PixelFormat format() const { return format_; }
  /// Returns the bytes from one line to the next; at least width * bytes_per_pixel.
  [[nodiscard]] uint32_t pitch_bytes() const { return pitch_bytes_; }

  /// Maps the pixels for an access of the kind `mode`. Errors: ENOMEM, or the driver's; EBUSY during another
  /// access.
  [[nodiscard]] base::Result<Access> begin_access(AccessMode mode);

  /// Hints that the mapping is not needed soon and may be dropped now. Has no effect during an access.
  virtual void unmap() = 0;

 protected:
  /// Makes a buffer with these properties.
  ScanoutBuffer(Size size, PixelFormat format, uint32_t pitch_bytes)
      : size_(size), format_(format), pitch_bytes_(pitch_bytes) {}
  /// Returns true during an access.
  [[nodiscard]] bool in_access() const { return in_access_; }

 private:
  friend class Access;
  /// Returns the address of the first line, valid until end_mapping().
  virtual base::Result<std::byte*> begin_mapping(AccessMode mode) = 0;
  virtual base::Result<void> end_mapping(AccessMode mode) = 0;

  Size size_;
  PixelFormat format_;
  uint32_t pitch_bytes_;
  bool in_access_ = false;
};

}  // namespace drmclient
