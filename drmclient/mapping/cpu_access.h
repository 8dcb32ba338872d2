#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "drmclient/geometry.h"
#include "drmclient/mapping.h"
#include "drmclient/mapping/buffer_mapping.h"
#include "drmclient/mapping/mapping_cache.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// The CPU's access to the pixels of one buffer. It uses a mapping that the card's cache keeps. If the driver
/// has no such mapping, it uses a shadow of plain memory, which is uploaded when the card is about to show
/// it.
///
/// A buffer switches to the shadow only if it was never mapped, because the shadow lacks pixels that were
/// written through a mapping. Later refusals are errors of the access, which may be repeated.
class CpuAccess {
 public:
  /// A mapping that was used for an upload; null if nothing was uploaded. Keep it until the driver was
  /// called: vmwgfx finds written pixels only in the page table of an existing mapping.
  using Upload = std::unique_ptr<BufferMapping>;

  /// Makes the access of the `buffer` that owns this object and maps through `source`. A mapping has
  /// `size_bytes`.
  CpuAccess(const ScanoutBuffer& buffer, MappingSource& source, const std::shared_ptr<MappingCache>& cache,
            size_t size_bytes, MappingChoice choice);

  /// Begins an access, for ScanoutBuffer::begin_mapping(). Errors: the driver's; ENOMEM.
  [[nodiscard]] base::Result<std::byte*> begin(AccessMode mode);
  /// Ends the access, for ScanoutBuffer::end_mapping().
  [[nodiscard]] base::Result<void> end(AccessMode mode);
  /// Drops the mapping, unless it is in access.
  void unmap() { entry_.release(); }

  /// Returns the kind in use, or the one to try first.
  [[nodiscard]] MappingKind kind() const { return kind_; }

  /// Copies `damage`, which lies inside the buffer, from the shadow. If it fails, a part may be missing.
  /// Errors: those of mapping the buffer and of DMA_BUF_IOCTL_SYNC; the same for the following two.
  [[nodiscard]] base::Result<Upload> upload(std::span<const Rect> damage);
  /// Uploads the whole shadow.
  [[nodiscard]] base::Result<Upload> upload_all();
  /// Uploads the whole shadow if anything was written since the last full upload. A flip needs this, because
  /// its damage describes the screen, not the earlier writes to the new buffer.
  [[nodiscard]] base::Result<Upload> upload_unseen();

 private:
  using Mapped = base::Result<std::unique_ptr<BufferMapping>>;
  [[nodiscard]] Mapped map(MappingKind kind);
  [[nodiscard]] Mapped map_to_keep();
  [[nodiscard]] Mapped map_to_upload();
  [[nodiscard]] base::Result<std::byte*> begin_shadow();
  void copy(const Rect& rect, std::byte* to) const;

  const ScanoutBuffer& buffer_;
  MappingSource& source_;
  std::shared_ptr<MappingCache> cache_;
  MappingChoice choice_;
  MappingKind kind_;
  BufferMapping* in_access_ = nullptr;  ///< null for the shadow
  std::unique_ptr<std::byte[]> shadow_;
  bool unseen_ = false;    ///< the shadow was written to since the last full upload
  bool uploaded_ = false;  ///< the shadow was uploaded before
  MappingCache::Entry entry_;
};

}  // namespace drmclient
