#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/memory_map.h"
#include "base/unique_fd.h"
#include "drmclient/card.h"
#include "drmclient/mapping/buffer_mapping.h"
#include "drmclient/mapping/cpu_access.h"
#include "drmclient/mapping/mapping_cache.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// A memfd as a scan-out buffer. It is mapped like a dumb buffer or like a dma-buf, whose bytes are coherent.
/// The tests derive a buffer whose mappings fail.
class HeadlessBuffer : public ScanoutBuffer, protected MappingSource {
 public:
  /// The properties of a buffer.
  struct Shape {
    Size size;                 ///< in pixels
    PixelFormat format;        ///< of the pixels
    uint32_t pitch_bytes = 0;  ///< from one line to the next
  };

  /// Makes a buffer in `memory`, which has `shape.pitch_bytes` for each line.
  HeadlessBuffer(const Shape& shape, base::UniqueFd memory, const std::shared_ptr<MappingCache>& cache,
                 MappingChoice mapping);
  HeadlessBuffer(const HeadlessBuffer&) = delete;
  HeadlessBuffer& operator=(const HeadlessBuffer&) = delete;
  ~HeadlessBuffer() override = default;

  /// Returns the object that maps the buffer and uploads its shadow.
  [[nodiscard]] CpuAccess& cpu_access() { return cpu_access_; }
  /// Returns the same object, read-only.
  [[nodiscard]] const CpuAccess& cpu_access() const { return cpu_access_; }
  void unmap() final { cpu_access_.unmap(); }

  /// Reads the pixels inside `area` as a display controller does, not from the shadow or a CPU mapping.
  /// Errors: ENOMEM.
  [[nodiscard]] base::Result<Capture> scan_out(const Rect& area);

 protected:
  base::Result<std::byte*> begin_mapping(AccessMode mode) override { return cpu_access_.begin(mode); }
  base::Result<std::unique_ptr<BufferMapping>> map_dumb() override;
  base::Result<std::unique_ptr<BufferMapping>> map_dma_buf() override;
  /// Returns the memfd.
  [[nodiscard]] int memory() const { return memory_.get(); }
  /// Maps the whole memfd.
  [[nodiscard]] base::Result<base::MemoryMap> map_memory() const;

 private:
  base::Result<void> end_mapping(AccessMode mode) final { return cpu_access_.end(mode); }

  base::UniqueFd memory_;
  size_t size_bytes_;
  base::MemoryMap scanned_out_;
  CpuAccess cpu_access_;
};

}  // namespace drmclient
