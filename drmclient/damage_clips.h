#pragma once

#include <xf86drmMode.h>

#include <span>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/result.h"

namespace drmclient {

/// `damage` as drivers may see it: the part of each rectangle inside `buffer`, without empty ones. qxl writes
/// beyond its memory for a clip outside the framebuffer, so nothing reaches a driver but through here.
/// Errors: EINVAL for more than Card::max_damage_rects rectangles.
[[nodiscard]] Result<std::vector<Rect>> clamp_damage(std::span<const Rect> damage, Size buffer);

/// The same for DRM_IOCTL_MODE_DIRTYFB, whose coordinates have 16 bits; `rects` are clamped.
[[nodiscard]] std::vector<drmModeClip> to_clips(std::span<const Rect> rects);

}  // namespace drmclient
