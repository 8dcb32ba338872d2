#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace drmclient {

/// The way in which the CPU reaches the pixels of a scan-out buffer.
enum class MappingKind {
  dumb,     ///< a mapping of the card's own node: DRM_IOCTL_MODE_MAP_DUMB
  dma_buf,  ///< a mapping of the exported buffer, with DMA_BUF_IOCTL_SYNC around each access
  shadow,   ///< plain memory; changed pixels are copied to the buffer just before the driver is called
};
/// Number of MappingKind values.
inline constexpr size_t mapping_kinds = 3;

/// The mapping that a user requests. All but `dumb` fall back to the next kind if the driver refuses.
enum class MappingChoice {
  automatic,  ///< dumb, then dma_buf, then shadow
  dumb,       ///< only dumb: an access fails if the driver refuses
  dma_buf,    ///< dma_buf, then dumb, then shadow
  shadow,     ///< only the shadow, whatever the driver supports
};

/// Counters of one kind of mapping since the card was opened.
struct MappingCounts {
  uint64_t hits = 0;                   ///< accesses that found a mapping; all accesses of the shadow
  uint64_t misses = 0;                 ///< mappings made for an access; for the shadow, made for an upload
  uint64_t remaps = 0;                 ///< misses of buffers that had been mapped before
  uint64_t mapped_bytes = 0;           ///< mapped now; always 0 for the shadow
  uint64_t uploaded_bytes = 0;         ///< copied from the shadow
  uint64_t released_for_limit = 0;     ///< mappings dropped to stay below the limit
  uint64_t released_for_pressure = 0;  ///< mappings dropped because the system is short of memory
  uint64_t released_on_hint = 0;       ///< mappings dropped by ScanoutBuffer::unmap()
  friend bool operator==(const MappingCounts&, const MappingCounts&) = default;
};

/// Counters of all mappings of a card's buffers.
struct MappingStatistics {
  uint64_t limit_bytes = 0;                          ///< maximum size of the kept mappings
  std::array<MappingCounts, mapping_kinds> kinds{};  ///< by MappingKind

  /// Returns the counters of one kind.
  [[nodiscard]] MappingCounts& of(MappingKind kind) { return kinds.at(static_cast<size_t>(kind)); }
  /// Returns the counters of one kind, read-only.
  [[nodiscard]] const MappingCounts& of(MappingKind kind) const {
    return kinds.at(static_cast<size_t>(kind));
  }
  friend bool operator==(const MappingStatistics&, const MappingStatistics&) = default;
};

/// Default limit of the mappings that a card keeps. A buffer of 3840x2160 has 33 MB and an output has two
/// buffers, so three such outputs fit. On a 32-bit machine the limit is a twelfth of the address space of a
/// process.
inline constexpr uint64_t default_mapping_limit_bytes = uint64_t{256} << 20U;

}  // namespace drmclient
