#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace drmclient {

/// A vblank event of a card's node.
struct DrmVblank {
  uint64_t user_data = 0;                      ///< as passed with the request
  uint64_t sequence = 0;                       ///< the CRTC's frame counter
  std::chrono::steady_clock::time_point time;  ///< time of the vblank
};

/// Events of a card's node.
struct DrmEvents {
  std::vector<DrmVblank> vblanks;  ///< DRM_EVENT_VBLANK, DRM_EVENT_CRTC_SEQUENCE
  std::vector<uint64_t> flips;     ///< the user_data of each DRM_EVENT_FLIP_COMPLETE
};

/// Reads all events that are pending on `fd`, a card's node that does not block. Ignores events of other
/// types.
[[nodiscard]] DrmEvents read_drm_events(int fd);

}  // namespace drmclient
