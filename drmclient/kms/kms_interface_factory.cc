#include "drmclient/kms/kms_interface_factory.h"

#include "drmclient/kms/atomic_commit.h"
#include "drmclient/kms/legacy_commit.h"

namespace drmclient {

std::unique_ptr<KmsInterface> make_kms_interface(const DrmDevice& device, const KmsPipe& pipe) {
  if (device.api() == KmsApi::atomic && pipe.plane_id != 0) return std::make_unique<AtomicCommit>(device);
  return std::make_unique<LegacyCommit>(device);
}

}  // namespace drmclient
