#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace drmclient {

/// How the CPU reaches the pixels of a scan-out buffer.
enum class MappingKind {
  dumb,     ///< a mapping through the card's own node: DRM_IOCTL_MODE_MAP_DUMB
  dma_buf,  ///< a mapping of the exported buffer, with DMA_BUF_IOCTL_SYNC around each access
  shadow,   ///< plain memory; what changed is copied to the buffer just before the driver is told
};
/// So many values MappingKind has.
inline constexpr size_t mapping_kinds = 3;

/// What a user asked for. Each but `dumb` goes on to the next kind where the driver refuses.
enum class MappingChoice {
  automatic,  ///< dumb, then dma_buf, then shadow
  dumb,       ///< nothing else: an access fails where the driver refuses
  dma_buf,    ///< then dumb, then shadow
  shadow,     ///< nothing else: whatever the driver could do
};

/// Counters of one kind of mapping since the card was opened.
struct MappingCounts {
  uint64_t hits = 0;                   ///< accesses that found what they needed; with the shadow: all
  uint64_t misses = 0;                 ///< mappings made: for an access; with the shadow: for an upload
  uint64_t remaps = 0;                 ///< of these: for a buffer that had been mapped before
  uint64_t mapped_bytes = 0;           ///< mapped now; with the shadow: always 0
  uint64_t uploaded_bytes = 0;         ///< copied from the shadow
  uint64_t released_for_limit = 0;     ///< mappings dropped to stay below the limit,
  uint64_t released_for_pressure = 0;  ///< because the system is short of memory,
  uint64_t released_on_hint = 0;       ///< and by ScanoutBuffer::unmap()
  friend bool operator==(const MappingCounts&, const MappingCounts&) = default;
};

/// What became of the mappings of a card's buffers.
struct MappingStatistics {
  uint64_t limit_bytes = 0;                          ///< the most that is kept mapped
  std::array<MappingCounts, mapping_kinds> kinds{};  ///< by MappingKind

  /// The counters of one kind.
  [[nodiscard]] MappingCounts& of(MappingKind kind) { return kinds.at(static_cast<size_t>(kind)); }
  /// The same, to read.
  [[nodiscard]] const MappingCounts& of(MappingKind kind) const {
    return kinds.at(static_cast<size_t>(kind));
  }
  friend bool operator==(const MappingStatistics&, const MappingStatistics&) = default;
};

/// How many bytes of mappings a card keeps unless it is told otherwise. A buffer of 3840x2160 has 33 MB, an
/// output has two, so three such screens fit; on a 32-bit machine it is a twelfth of the address space.
inline constexpr uint64_t default_mapping_limit_bytes = uint64_t{256} << 20U;

}  // namespace drmclient
