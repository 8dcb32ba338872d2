#include "drmclient/mapping/buffer_mapping.h"

#include <linux/dma-buf.h>

#include <cerrno>
#include <system_error>

namespace drmclient {
namespace {

/// Returns true if DMA_BUF_IOCTL_SYNC failed with `error` because the exporter needs no synchronization.
bool needs_no_sync(const std::error_code& error) {
  return error.value() == ENOTTY;
}

/// Returns true if the kernel requests a repetition: after a signal, or while it moves the buffer.
bool is_to_be_repeated(const std::error_code& error) {
  return error.value() == EINTR || error.value() == EAGAIN;
}

}  // namespace

base::Result<void> DmaBufMapping::begin(AccessMode mode) {
  return bracket(DMA_BUF_SYNC_START, mode);
}

base::Result<void> DmaBufMapping::end(AccessMode mode) {
  return bracket(DMA_BUF_SYNC_END, mode);
}

base::Result<void> DmaBufMapping::bracket(uint64_t edge, AccessMode mode) {
  uint64_t flags = edge;
  if (mode != AccessMode::write) flags |= DMA_BUF_SYNC_READ;
  if (mode != AccessMode::read) flags |= DMA_BUF_SYNC_WRITE;
  while (true) {
    auto synchronized = sync(flags);
    if (synchronized || needs_no_sync(synchronized.error())) return {};
    if (!is_to_be_repeated(synchronized.error())) return synchronized;
  }
}

}  // namespace drmclient
