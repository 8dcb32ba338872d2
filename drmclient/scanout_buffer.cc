#include "drmclient/scanout_buffer.h"

#include <utility>

namespace drmclient {

Access::Access(Access&& other) noexcept
    : buffer_(std::exchange(other.buffer_, nullptr)), data_(other.data_), mode_(other.mode_) {}

Access::~Access() {
  // A destructor cannot return the error. Callers that need it call end().
  static_cast<void>(end());
}

std::span<std::byte> Access::row(uint32_t y) const {
  return {data_ + size_t{y} * buffer_->pitch_bytes(),
          size_t{buffer_->size().width} * bytes_per_pixel(buffer_->format())};
}

base::Result<void> Access::end() {
  if (buffer_ == nullptr) return {};
  ScanoutBuffer* buffer = std::exchange(buffer_, nullptr);
  buffer->in_access_ = false;
  return buffer->end_mapping(mode_);
}

base::Result<Access> ScanoutBuffer::begin_access(AccessMode mode) {
  if (in_access_) return base::failure(EBUSY);
  std::byte* const data = BASE_TRY(begin_mapping(mode));
  in_access_ = true;
  return Access(*this, data, mode);
}

}  // namespace drmclient
