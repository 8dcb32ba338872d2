#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

class ScanoutBuffer;

/// What the CPU is going to do to a buffer between begin_access() and the end of the access.
enum class AccessMode { read, write, read_write };

/// The CPU's access to a buffer's pixels, from ScanoutBuffer::begin_access() until end() or destruction. The
/// address holds for this access alone: the next one may be elsewhere. It must end before the buffer does.
class Access {
 public:
  /// The access is the new object's; the end of `other` ends nothing.
  Access(Access&& other) noexcept;
  Access& operator=(Access&&) = delete;
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  ~Access();

  /// The first byte of the first line.
  [[nodiscard]] std::byte* data() const { return data_; }
  /// Line `y` (0 <= y < height), `width * bytes_per_pixel` bytes long.
  [[nodiscard]] std::span<std::byte> row(uint32_t y) const;
  /// Ends the access and tells whether that worked; what was written may be incomplete where it did not.
  /// Errors: those of the driver, e.g. EIO, ENODEV. A second call does nothing.
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
/// The CPU reaches its pixels only between begin_access() and the end of that access. The mapping behind it
/// is kept from one access to the next where the driver allows it and may be dropped and made again, unseen,
/// at any time between accesses; nothing is pinned in between. Accesses do not nest. Not thread-safe: a
/// buffer belongs to the thread that uses its card.
class ScanoutBuffer {
 public:
  ScanoutBuffer(const ScanoutBuffer&) = delete;
  ScanoutBuffer& operator=(const ScanoutBuffer&) = delete;
  virtual ~ScanoutBuffer() = default;

  /// In pixels.
  [[nodiscard]] Size size() const { return size_; }
  /// Of every pixel.
  [[nodiscard]] PixelFormat format() const { return format_; }
  /// Bytes from one line to the next; at least width * bytes_per_pixel.
  [[nodiscard]] uint32_t pitch_bytes() const { return pitch_bytes_; }

  /// Makes the pixels reachable for `mode`. Errors: ENOMEM, or the driver's; EBUSY while an access is under
  /// way.
  [[nodiscard]] base::Result<Access> begin_access(AccessMode mode);

  /// A hint that the mapping will not be needed soon: it may be dropped now. No effect during an access.
  virtual void unmap() = 0;

 protected:
  /// What the functions of the same names say.
  ScanoutBuffer(Size size, PixelFormat format, uint32_t pitch_bytes)
      : size_(size), format_(format), pitch_bytes_(pitch_bytes) {}
  /// Between begin_access() and the end of that access.
  [[nodiscard]] bool in_access() const { return in_access_; }

 private:
  friend class Access;
  /// Gives the address of the first line, good until end_mapping().
  virtual base::Result<std::byte*> begin_mapping(AccessMode mode) = 0;
  virtual base::Result<void> end_mapping(AccessMode mode) = 0;

  Size size_;
  PixelFormat format_;
  uint32_t pitch_bytes_;
  bool in_access_ = false;
};

}  // namespace drmclient
