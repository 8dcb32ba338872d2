#pragma once

#include <xf86drmMode.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "drmclient/kms/drm_device.h"

namespace drmclient {

/// What a CRTC showed before us, to be shown again.
///
/// Closing the card brings the kernel's console back, too, but by way of a CRTC that is off in between, and
/// on bochs before 7.x with nothing on it until new text comes: what was there is lost when its memory goes
/// unused. Setting the console's framebuffer again first keeps it whole.
class SavedCrtc {
 public:
  /// Nothing where the CRTC is off.
  [[nodiscard]] static std::optional<SavedCrtc> read(const DrmDevice& device, uint32_t crtc_id);

  /// KMS's object id; never 0.
  [[nodiscard]] uint32_t framebuffer_id() const { return framebuffer_id_; }

  /// `fd` is DRM master. Errors: ENOENT where the framebuffer is gone (it was a program's that has
  /// ended), and those of DRM_IOCTL_MODE_SETCRTC.
  [[nodiscard]] base::Result<void> restore(int fd) const;

 private:
  uint32_t crtc_id_ = 0;
  uint32_t framebuffer_id_ = 0;
  uint32_t x_ = 0;
  uint32_t y_ = 0;
  drmModeModeInfo mode_{};
  std::vector<uint32_t> connectors_;
};

}  // namespace drmclient
