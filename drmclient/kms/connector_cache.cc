#include "drmclient/kms/connector_cache.h"

#include <algorithm>

namespace drmclient {

base::Result<std::vector<KmsConnector>> ConnectorCache::read(const DrmDevice& device) {
  auto connectors = read_connectors(device);
  connectors_ = connectors ? std::optional(*connectors) : std::nullopt;
  return connectors;
}

base::Result<KmsPipe> ConnectorCache::pipe_of(const DrmDevice& device, uint32_t connector) {
  bool is_new = false;
  while (true) {
    if (!connectors_) {
      BASE_TRY(read(device));
      is_new = true;
    }
    const auto found = std::ranges::find(*connectors_, connector, &KmsConnector::id);
    if (found != connectors_->end() && found->pipe) return *found->pipe;
    if (is_new) return base::failure(found == connectors_->end() ? ENOENT : ENOSPC);
    // Another program may have released a CRTC in the meantime.
    forget();
  }
}

}  // namespace drmclient
