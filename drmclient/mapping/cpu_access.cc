#include "drmclient/mapping/cpu_access.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "drmclient/card.h"

namespace drmclient {
namespace {

MappingKind first_kind(MappingChoice choice) {
  switch (choice) {
    case MappingChoice::automatic:
    case MappingChoice::dumb:
      break;
    case MappingChoice::dma_buf:
      return MappingKind::dma_buf;
    case MappingChoice::shadow:
      return MappingKind::shadow;
  }
  return MappingKind::dumb;
}

}  // namespace

CpuAccess::CpuAccess(const ScanoutBuffer& buffer, MappingSource& source,
                     const std::shared_ptr<MappingCache>& cache, size_t size_bytes, MappingChoice choice)
    : buffer_(buffer),
      source_(source),
      cache_(cache),
      choice_(choice),
      kind_(first_kind(choice)),
      entry_(cache, size_bytes) {}

CpuAccess::Mapped CpuAccess::map(MappingKind kind) {
  return kind == MappingKind::dma_buf ? source_.map_dma_buf() : source_.map_dumb();
}

/// Makes a mapping of the kind that worked last time, or else of the other kind.
CpuAccess::Mapped CpuAccess::map_to_keep() {
  auto made = map(kind_);
  if (made || choice_ == MappingChoice::dumb || is_unplugged(made.error())) return made;
  const MappingKind other = kind_ == MappingKind::dumb ? MappingKind::dma_buf : MappingKind::dumb;
  auto fallback = map(other);
  // The first error is the useful one, because most drivers of such a card do not have the other kind.
  if (!fallback) return made;
  kind_ = other;
  return fallback;
}

CpuAccess::Mapped CpuAccess::map_to_upload() {
  auto made = source_.map_dumb();
  if (made) return made;
  auto fallback = source_.map_dma_buf();
  return fallback ? std::move(fallback) : std::move(made);
}

base::Result<std::byte*> CpuAccess::begin(AccessMode mode) {
  if (kind_ == MappingKind::shadow) return begin_shadow();
  in_access_ = entry_.begin_use();
  if (in_access_ == nullptr) {
    auto made = map_to_keep();
    if (!made) {
      if (is_unplugged(made.error()) || entry_.was_mapped() || choice_ == MappingChoice::dumb) {
        return tl::make_unexpected(made.error());
      }
      kind_ = MappingKind::shadow;
      return begin_shadow();
    }
    in_access_ = &entry_.keep(kind_, std::move(*made));
  }
  if (const auto begun = in_access_->begin(mode); !begun) {
    entry_.end_use();
    return tl::make_unexpected(begun.error());
  }
  return in_access_->data();
}

base::Result<std::byte*> CpuAccess::begin_shadow() {
  if (!shadow_) {
    shadow_.reset(new (std::nothrow) std::byte[size_t{buffer_.pitch_bytes()} * buffer_.size().height]());
    if (!shadow_) return base::failure(ENOMEM);
    unseen_ = true;
  }
  ++cache_->counts(MappingKind::shadow).hits;
  return shadow_.get();
}

base::Result<void> CpuAccess::end(AccessMode mode) {
  if (kind_ == MappingKind::shadow) {
    unseen_ = unseen_ || mode != AccessMode::read;
    return {};
  }
  auto ended = in_access_->end(mode);
  entry_.end_use();
  return ended;
}

base::Result<CpuAccess::Upload> CpuAccess::upload_all() {
  const Rect all = Rect::of(buffer_.size());
  return upload({&all, 1});
}

base::Result<CpuAccess::Upload> CpuAccess::upload_unseen() {
  return unseen_ ? upload_all() : Upload();
}

base::Result<CpuAccess::Upload> CpuAccess::upload(std::span<const Rect> damage) {
  if (!shadow_ || damage.empty()) return Upload();
  auto mapping = BASE_TRY(map_to_upload());
  BASE_TRY(mapping->begin(AccessMode::write));
  MappingCounts& counts = cache_->counts(MappingKind::shadow);
  ++counts.misses;
  if (std::exchange(uploaded_, true)) ++counts.remaps;
  for (const Rect& rect : damage) {
    copy(rect, mapping->data());
    counts.uploaded_bytes += rect.area() * bytes_per_pixel(buffer_.format());
  }
  BASE_TRY(mapping->end(AccessMode::write));
  if (std::ranges::find(damage, Rect::of(buffer_.size())) != damage.end()) unseen_ = false;
  return mapping;
}

/// Copies `rect` of the shadow to the same place in `to`.
void CpuAccess::copy(const Rect& rect, std::byte* to) const {
  const size_t pixel_bytes = bytes_per_pixel(buffer_.format());
  const size_t line_bytes = rect.width() * pixel_bytes;
  for (int32_t y = rect.y1; y < rect.y2; ++y) {
    const size_t at =
        static_cast<size_t>(y) * buffer_.pitch_bytes() + static_cast<size_t>(rect.x1) * pixel_bytes;
    std::memcpy(to + at, shadow_.get() + at, line_bytes);
  }
}

}  // namespace drmclient
