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

/// How the CPU reaches the pixels of one buffer: through a mapping that the card's cache keeps, or, where the
/// driver gives none that can be kept, in a shadow of plain memory, which is uploaded when the card is about
/// to show it.
///
/// A buffer goes over to the shadow only before it was ever mapped: what is in a buffer that cannot be mapped
/// any more is not known to the shadow. Later refusals are errors of the access, which may be tried again.
class CpuAccess {
 public:
  /// A mapping that an upload went through; null where nothing had to be uploaded. It goes when the driver
  /// has been told, not before: vmwgfx may find what was written only in the page table of a mapping that is
  /// still there.
  using Upload = std::unique_ptr<BufferMapping>;

  /// `buffer` and `source` are those that this object is a part of; `size_bytes` is what a mapping has.
  CpuAccess(const ScanoutBuffer& buffer, MappingSource& source, const std::shared_ptr<MappingCache>& cache,
            size_t size_bytes, MappingChoice choice);

  /// As ScanoutBuffer's begin_mapping() and end_mapping(). Errors: the driver's; ENOMEM.
  [[nodiscard]] base::Result<std::byte*> begin(AccessMode mode);
  /// The other bracket of begin().
  [[nodiscard]] base::Result<void> end(AccessMode mode);
  /// Drops the mapping, unless it is in access.
  void unmap() { entry_.release(); }

  /// What is used, or will be tried first.
  [[nodiscard]] MappingKind kind() const { return kind_; }

  /// Copies `damage` (inside the buffer) from the shadow. Errors: those of mapping the buffer and of its
  /// brackets; then some of it may be missing. The following two are alike.
  [[nodiscard]] base::Result<Upload> upload(std::span<const Rect> damage);
  /// Everything.
  [[nodiscard]] base::Result<Upload> upload_all();
  /// Everything, if anything was written since everything was uploaded: a present() names the damage to what
  /// is on the screen, not what was written to a buffer before it came there.
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
  BufferMapping* in_access_ = nullptr;  ///< null with the shadow
  std::unique_ptr<std::byte[]> shadow_;
  bool unseen_ = false;    ///< the shadow was written to since all of it was uploaded
  bool uploaded_ = false;  ///< there was an upload before
  MappingCache::Entry entry_;
};

}  // namespace drmclient
