#pragma once

#include <xf86drmMode.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "drmclient/kms/drm_device.h"

namespace drmclient {

/// The saved state of a CRTC, to restore it later.
///
/// Closing the card restores the kernel's console too, but the CRTC is off in between. On bochs before 7.x
/// the console is also blank until new text arrives, because its pixels are lost when its memory is unused.
/// Setting the console's framebuffer before the card is closed keeps the pixels.
class SavedCrtc {
 public:
  /// Reads the state of a CRTC; nothing if it is off.
  [[nodiscard]] static std::optional<SavedCrtc> read(const DrmDevice& device, uint32_t crtc_id);

  /// Returns the KMS object id; never 0.
  [[nodiscard]] uint32_t framebuffer_id() const { return framebuffer_id_; }

  /// Sets the saved state; `fd` must be DRM master. Errors: ENOENT if the framebuffer does not exist any more
  /// (its program has exited), and those of DRM_IOCTL_MODE_SETCRTC.
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
