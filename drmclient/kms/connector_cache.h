#pragma once

#include <optional>
#include <vector>

#include "drmclient/kms/kms_pipe.h"

namespace drmclient {

/// A cache of an open card's connectors. Reading them makes the kernel probe the hardware, which takes up to
/// 0.1 s for each connector with a monitor.
class ConnectorCache {
 public:
  /// Reads the connectors. Errors: those of read_connectors(); then nothing is cached.
  [[nodiscard]] base::Result<std::vector<KmsConnector>> read(const DrmDevice& device);
  /// Returns the pipe of the connector with the KMS object id `connector`. Reads the connectors if none are
  /// cached, or if the cached ones have no pipe for it. Errors: those of read(); ENOENT if the connector
  /// disappeared; ENOSPC if other outputs use all CRTCs.
  [[nodiscard]] base::Result<KmsPipe> pipe_of(const DrmDevice& device, uint32_t connector);
  /// Clears the cache, because the connectors or their CRTCs may have changed.
  void forget() { connectors_.reset(); }

 private:
  std::optional<std::vector<KmsConnector>> connectors_;
};

}  // namespace drmclient
