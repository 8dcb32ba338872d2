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

/// What may go wrong with the mappings of a headless card's buffers, for tests. An errno of 0 is no error.
struct HeadlessMappingFaults {
  /// Every access gets another address, and the last one faults.
  bool moving = false;
  /// A mapping can be had for an upload only.
  bool only_for_uploads = false;
  /// What the CPU does through a dma-buf mapping is in a cache of its own between the brackets of an access.
  bool incoherent = false;
  int refuse_accesses = 0;  ///< begin_access() fails with it
  int refuse_dumb = 0;      ///< and mapping as a dumb buffer
  int refuse_dma_buf = 0;   ///< and mapping as a dma-buf
  std::deque<int> syncs;    ///< what the next calls of DMA_BUF_IOCTL_SYNC give
};

/// A memfd as a scan-out buffer. It is mapped as a dumb buffer is, or in the manner of a dma-buf.
class HeadlessBuffer final : public ScanoutBuffer, private MappingSource {
 public:
  /// `memory` has `pitch_bytes` for each line. `faults` must outlive the buffer.
  HeadlessBuffer(Size size, PixelFormat format, uint32_t pitch_bytes, base::UniqueFd memory,
                 const std::shared_ptr<MappingCache>& cache, MappingChoice mapping,
                 HeadlessMappingFaults& faults);
  HeadlessBuffer(const HeadlessBuffer&) = delete;
  HeadlessBuffer& operator=(const HeadlessBuffer&) = delete;
  ~HeadlessBuffer() override = default;

  /// How the CPU reaches it, and the uploads that come before something is shown.
  [[nodiscard]] CpuAccess& cpu_access() { return cpu_access_; }
  /// The same, to ask.
  [[nodiscard]] const CpuAccess& cpu_access() const { return cpu_access_; }
  void unmap() override { cpu_access_.unmap(); }

  /// What a display that scans the buffer out shows of `area`: not the shadow, and no CPU's mapping. Errors:
  /// HeadlessMappingFaults::refuse_accesses, ENOMEM.
  [[nodiscard]] base::Result<Capture> scan_out(const Rect& area);

 private:
  base::Result<std::byte*> begin_mapping(AccessMode mode) override;
  base::Result<void> end_mapping(AccessMode mode) override { return cpu_access_.end(mode); }
  base::Result<std::unique_ptr<BufferMapping>> map_dumb() override;
  base::Result<std::unique_ptr<BufferMapping>> map_dma_buf() override;
  [[nodiscard]] int refusal(int of_this_kind) const;

  base::UniqueFd memory_;
  size_t size_bytes_;
  HeadlessMappingFaults& faults_;
  bool in_begin_ = false;  ///< what is mapped now is to be kept
  base::MemoryMap scanned_out_;
  CpuAccess cpu_access_;
};

}  // namespace drmclient
