#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "base/memory_map.h"
#include "base/unique_fd.h"
#include "drmclient/card.h"
#include "drmclient/mapping/buffer_mapping.h"
#include "drmclient/mapping/cpu_access.h"
#include "drmclient/mapping/mapping_cache.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// Faults of a headless card and of the mappings of its buffers, for tests. An errno of 0 means no error.
struct HeadlessFaults {
  /// True if each access gets another address and the previous address faults.
  bool moving = false;
  /// True if a buffer can be mapped only for uploads.
  bool only_for_uploads = false;
  /// True if CPU accesses through a dma-buf mapping go to a separate cache that is written back at their end.
  bool incoherent = false;
  int refuse_modes = 0;     ///< errno of set_mode()
  int refuse_presents = 0;  ///< errno of present()
  int refuse_accesses = 0;  ///< errno of begin_access()
  int refuse_dumb = 0;      ///< errno of mapping as a dumb buffer
  int refuse_dma_buf = 0;   ///< errno of mapping as a dma-buf
  std::deque<int> syncs;    ///< results of the next calls of DMA_BUF_IOCTL_SYNC
};

/// A memfd as a scan-out buffer. It is mapped like a dumb buffer or like a dma-buf.
class HeadlessBuffer final : public ScanoutBuffer, private MappingSource {
 public:
  /// Makes a buffer in `memory`, which has `pitch_bytes` for each line. `faults` must outlive the buffer.
  HeadlessBuffer(Size size, PixelFormat format, uint32_t pitch_bytes, base::UniqueFd memory,
                 const std::shared_ptr<MappingCache>& cache, MappingChoice mapping, HeadlessFaults& faults);
  HeadlessBuffer(const HeadlessBuffer&) = delete;
  HeadlessBuffer& operator=(const HeadlessBuffer&) = delete;
  ~HeadlessBuffer() override = default;

  /// Returns the object that maps the buffer and uploads its shadow.
  [[nodiscard]] CpuAccess& cpu_access() { return cpu_access_; }
  /// Returns the same object, read-only.
  [[nodiscard]] const CpuAccess& cpu_access() const { return cpu_access_; }
  void unmap() override { cpu_access_.unmap(); }

  /// Reads the pixels inside `area` as a display controller does, not from the shadow or a CPU mapping.
  /// Errors: HeadlessFaults::refuse_accesses, ENOMEM.
  [[nodiscard]] base::Result<Capture> scan_out(const Rect& area);

 private:
  base::Result<std::byte*> begin_mapping(AccessMode mode) override;
  base::Result<void> end_mapping(AccessMode mode) override { return cpu_access_.end(mode); }
  base::Result<std::unique_ptr<BufferMapping>> map_dumb() override;
  base::Result<std::unique_ptr<BufferMapping>> map_dma_buf() override;
  [[nodiscard]] int refusal(int of_this_kind) const;

  base::UniqueFd memory_;
  size_t size_bytes_;
  HeadlessFaults& faults_;
  bool in_begin_ = false;  ///< true while a mapping is made that the cache keeps
  base::MemoryMap scanned_out_;
  CpuAccess cpu_access_;
};

}  // namespace drmclient
