#include "drmclient/kms_commit.h"

#include <vector>

#include "drmclient/atomic_commit.h"
#include "drmclient/damage_clips.h"
#include "drmclient/legacy_commit.h"

namespace drmclient {

std::unique_ptr<KmsCommit> KmsCommit::make(const DrmDevice& device, const KmsPipe& pipe) {
  if (device.interface() == DrmDevice::Interface::atomic && pipe.plane_id != 0) {
    return std::make_unique<AtomicCommit>(device);
  }
  return std::make_unique<LegacyCommit>(device);
}

Result<void> mark_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage) {
  std::vector<drmModeClip> clips = to_clips(damage);
  return drm_result(::drmModeDirtyFB(fd, buffer.framebuffer_id(), clips.empty() ? nullptr : clips.data(),
                                     static_cast<uint32_t>(clips.size())));
}

}  // namespace drmclient
