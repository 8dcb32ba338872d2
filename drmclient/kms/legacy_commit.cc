#include "drmclient/kms/legacy_commit.h"

#include <vector>

#include "drmclient/kms/kms_modes.h"

namespace drmclient {

base::Result<void> LegacyCommit::set_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                          Point origin) {
  drmModeModeInfo info = mode_to_kernel(mode);
  uint32_t connector = pipe.connector_id;
  return drm_result(::drmModeSetCrtc(device_.fd(), pipe.crtc_id, buffer.framebuffer_id(), origin.x, origin.y,
                                     &connector, 1, &info));
}

base::Result<bool> LegacyCommit::show(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                      Point origin, std::span<const Rect>, uint64_t) {
  // With an unchanged mode the kernel only flips here (drm_crtc_helper_set_config()).
  BASE_TRY(set_mode(pipe, mode, buffer, origin));
  return false;
}

base::Result<void> LegacyCommit::set_power(const KmsPipe& pipe, Power power) {
  const auto* dpms = pipe.connector.find("DPMS");
  if (dpms == nullptr) return base::failure(EOPNOTSUPP);
  static_assert(static_cast<int>(Power::on) == DRM_MODE_DPMS_ON &&
                static_cast<int>(Power::standby) == DRM_MODE_DPMS_STANDBY &&
                static_cast<int>(Power::suspend) == DRM_MODE_DPMS_SUSPEND &&
                static_cast<int>(Power::off) == DRM_MODE_DPMS_OFF);
  return drm_result(
      ::drmModeConnectorSetProperty(device_.fd(), pipe.connector_id, dpms->id, static_cast<uint64_t>(power)));
}

base::Result<void> LegacyCommit::set_gamma(const KmsPipe& pipe, std::span<const GammaEntry> table) {
  std::vector<uint16_t> red;
  std::vector<uint16_t> green;
  std::vector<uint16_t> blue;
  for (const GammaEntry& entry : table) {
    red.push_back(entry.red);
    green.push_back(entry.green);
    blue.push_back(entry.blue);
  }
  return drm_result(::drmModeCrtcSetGamma(device_.fd(), pipe.crtc_id, static_cast<uint32_t>(table.size()),
                                          red.data(), green.data(), blue.data()));
}

}  // namespace drmclient
