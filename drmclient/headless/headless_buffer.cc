#include "drmclient/headless/headless_buffer.h"

#include <sys/mman.h>

#include <utility>

#include "drmclient/capture.h"

namespace drmclient {
namespace {

class HeadlessMapping final : public BufferMapping {
 public:
  explicit HeadlessMapping(base::MemoryMap map) : map_(std::move(map)) {}
  base::Result<void> begin(AccessMode) override { return {}; }
  base::Result<void> end(AccessMode) override { return {}; }
  [[nodiscard]] std::byte* data() const override { return map_.data(); }

 private:
  base::MemoryMap map_;
};

}  // namespace

HeadlessBuffer::HeadlessBuffer(const Shape& shape, base::UniqueFd memory,
                               const std::shared_ptr<MappingCache>& cache, MappingChoice mapping)
    : ScanoutBuffer(shape.size, shape.format, shape.pitch_bytes),
      memory_(std::move(memory)),
      size_bytes_(size_t{shape.pitch_bytes} * shape.size.height),
      cpu_access_(*this, *this, cache, size_bytes_, mapping) {}

base::Result<base::MemoryMap> HeadlessBuffer::map_memory() const {
  return base::MemoryMap::map(memory_.get(), size_bytes_, PROT_READ | PROT_WRITE);
}

base::Result<std::unique_ptr<BufferMapping>> HeadlessBuffer::map_dumb() {
  auto map = BASE_TRY(map_memory());
  return std::make_unique<HeadlessMapping>(std::move(map));
}

base::Result<std::unique_ptr<BufferMapping>> HeadlessBuffer::map_dma_buf() {
  return HeadlessBuffer::map_dumb();
}

base::Result<Capture> HeadlessBuffer::scan_out(const Rect& area) {
  if (!scanned_out_) {
    scanned_out_ = BASE_TRY(base::MemoryMap::map(memory_.get(), size_bytes_, PROT_READ));
  }
  return capture_pixels(scanned_out_.data(), *this, area);
}

}  // namespace drmclient
