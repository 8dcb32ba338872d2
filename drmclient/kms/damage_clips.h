#pragma once

#include <xf86drmMode.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/kms/dumb_buffer.h"

namespace drmclient {

/// Returns the parts of the rectangles `damage` inside a framebuffer of the size `buffer`, without empty
/// ones. All damage for a driver must pass through here, because qxl writes beyond its memory for clips
/// outside the framebuffer. Errors: EINVAL for more than Card::max_damage_rects rectangles.
[[nodiscard]] base::Result<std::vector<Rect>> clamp_damage(std::span<const Rect> damage, Size buffer);

/// Returns the clamped rectangles `rects` for DRM_IOCTL_MODE_DIRTYFB, whose coordinates have 16 bits.
[[nodiscard]] std::vector<drmModeClip> to_clips(std::span<const Rect> rects);

/// Reports that `damage` (clamped; empty: all) of `buffer` changed through `fd`, which must be DRM master:
/// DRM_IOCTL_MODE_DIRTYFB. Errors: ENOSYS if the driver scans the buffer out directly and needs no report.
[[nodiscard]] base::Result<void> mark_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage);

}  // namespace drmclient
