#include "drmclient/kms/kms_modes.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace drmclient {
namespace {

constexpr uint32_t flags_understood =
    DRM_MODE_FLAG_PHSYNC | DRM_MODE_FLAG_NHSYNC | DRM_MODE_FLAG_PVSYNC | DRM_MODE_FLAG_NVSYNC;

/// Returns true if a timing is plausible. The kernel refuses other timings for modes of users
/// (drm_mode_validate_basic()), but a broken EDID or a driver may contain anything.
bool is_sound(const Mode& mode) {
  const bool columns = mode.hdisplay >= smallest_side && mode.hdisplay <= mode.hsync_start &&
                       mode.hsync_start <= mode.hsync_end && mode.hsync_end <= mode.htotal;
  const bool lines = mode.vdisplay >= smallest_side && mode.vdisplay <= mode.vsync_start &&
                     mode.vsync_start <= mode.vsync_end && mode.vsync_end <= mode.vtotal;
  const uint32_t rate = mode.refresh_millihertz();
  return columns && lines && rate >= slowest_millihertz && rate <= fastest_millihertz;
}

/// Returns the rank of a mode in its list; 0 is best.
int rank(uint32_t type) {
  if ((type & DRM_MODE_TYPE_USERDEF) != 0) return 0;
  return (type & DRM_MODE_TYPE_PREFERRED) != 0 ? 1 : 2;
}

}  // namespace

std::optional<Mode> mode_from_kernel(const drmModeModeInfo& info) {
  if ((info.flags & ~flags_understood) != 0 || info.hskew != 0 || info.vscan > 1) return std::nullopt;
  Mode mode;
  mode.name.assign(info.name, ::strnlen(info.name, sizeof info.name));
  mode.clock_khz = info.clock;
  mode.hdisplay = info.hdisplay;
  mode.hsync_start = info.hsync_start;
  mode.hsync_end = info.hsync_end;
  mode.htotal = info.htotal;
  mode.vdisplay = info.vdisplay;
  mode.vsync_start = info.vsync_start;
  mode.vsync_end = info.vsync_end;
  mode.vtotal = info.vtotal;
  mode.hsync_positive = (info.flags & DRM_MODE_FLAG_PHSYNC) != 0;
  mode.vsync_positive = (info.flags & DRM_MODE_FLAG_PVSYNC) != 0;
  mode.preferred = (info.type & DRM_MODE_TYPE_PREFERRED) != 0;
  if (!is_sound(mode)) return std::nullopt;
  return mode;
}

drmModeModeInfo mode_to_kernel(const Mode& mode) {
  drmModeModeInfo info{};
  info.clock = mode.clock_khz;
  info.hdisplay = static_cast<uint16_t>(mode.hdisplay);
  info.hsync_start = static_cast<uint16_t>(mode.hsync_start);
  info.hsync_end = static_cast<uint16_t>(mode.hsync_end);
  info.htotal = static_cast<uint16_t>(mode.htotal);
  info.vdisplay = static_cast<uint16_t>(mode.vdisplay);
  info.vsync_start = static_cast<uint16_t>(mode.vsync_start);
  info.vsync_end = static_cast<uint16_t>(mode.vsync_end);
  info.vtotal = static_cast<uint16_t>(mode.vtotal);
  info.vrefresh = static_cast<uint32_t>((uint64_t{mode.refresh_millihertz()} + 500) / 1000);
  info.flags = mode.hsync_positive ? DRM_MODE_FLAG_PHSYNC : DRM_MODE_FLAG_NHSYNC;
  info.flags |= mode.vsync_positive ? DRM_MODE_FLAG_PVSYNC : DRM_MODE_FLAG_NVSYNC;
  info.type = DRM_MODE_TYPE_USERDEF;
  mode.name.copy(info.name, sizeof info.name - 1);
  return info;
}

std::vector<Mode> modes_from_kernel(const drmModeModeInfo* modes, size_t count) {
  std::vector<std::pair<int, Mode>> ranked;
  for (const drmModeModeInfo& info : std::span(modes, count)) {
    if (auto mode = mode_from_kernel(info)) ranked.emplace_back(rank(info.type), std::move(*mode));
  }
  std::ranges::stable_sort(ranked, {}, &std::pair<int, Mode>::first);
  std::vector<Mode> sorted;
  sorted.reserve(ranked.size());
  for (auto& [ignored, mode] : ranked) sorted.push_back(std::move(mode));
  return sorted;
}

}  // namespace drmclient
