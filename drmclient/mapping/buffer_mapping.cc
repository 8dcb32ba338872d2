#include "drmclient/mapping/buffer_mapping.h"

#include <linux/dma-buf.h>

namespace drmclient {

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
  while (const int error = sync(flags)) {
    if (error == ENOTTY) return {};  // the exporter needs no synchronization
    // The kernel requests a repetition after a signal, or while it moves the buffer.
    if (error != EINTR && error != EAGAIN) return base::failure(error);
  }
  return {};
}

}  // namespace drmclient
