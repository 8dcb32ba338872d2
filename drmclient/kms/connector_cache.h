#pragma once

#include <optional>
#include <vector>

#include "drmclient/kms/kms_pipe.h"

namespace drmclient {

/// The connectors of an open card as they were last read. Reading them makes the kernel probe the hardware,
/// which takes up to a tenth of a second for each connector with a monitor.
class ConnectorCache {
 public:
  /// Reads the connectors. Errors: those of read_connectors(); then nothing is cached.
  [[nodiscard]] base::Result<std::vector<KmsConnector>> read(const DrmDevice& device);
  /// Returns the pipe for `output`, and reads the connectors only if nothing is cached, or nothing that will
  /// do. Errors: those of read(); ENOENT without such an output; ENOSPC if other outputs have all the CRTCs.
  [[nodiscard]] base::Result<KmsPipe> pipe_of(const DrmDevice& device, OutputId output);
  /// The connectors, or which CRTC drives them, may have changed.
  void forget() { connectors_.reset(); }

 private:
  std::optional<std::vector<KmsConnector>> connectors_;
};

}  // namespace drmclient
