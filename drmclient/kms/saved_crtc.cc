#include "drmclient/kms/saved_crtc.h"

#include <span>

#include "drmclient/kms/drm_resources.h"

namespace drmclient {
namespace {

std::vector<uint32_t> connectors_of(const DrmDevice& device, uint32_t crtc_id) {
  std::vector<uint32_t> connectors;
  const DrmModeResources resources(::drmModeGetResources(device.fd()));
  if (!resources) return connectors;
  for (const uint32_t id :
       std::span(resources->connectors, static_cast<size_t>(resources->count_connectors))) {
    const DrmModeConnector connector(::drmModeGetConnectorCurrent(device.fd(), id));
    if (!connector || connector->encoder_id == 0) continue;
    const DrmModeEncoder encoder(::drmModeGetEncoder(device.fd(), connector->encoder_id));
    if (encoder && encoder->crtc_id == crtc_id) connectors.push_back(id);
  }
  return connectors;
}

}  // namespace

std::optional<SavedCrtc> SavedCrtc::read(const DrmDevice& device, uint32_t crtc_id) {
  const DrmModeCrtc crtc(::drmModeGetCrtc(device.fd(), crtc_id));
  if (!crtc || crtc->mode_valid == 0 || crtc->buffer_id == 0) return std::nullopt;
  SavedCrtc saved;
  saved.crtc_id_ = crtc_id;
  saved.framebuffer_id_ = crtc->buffer_id;
  saved.x_ = crtc->x;
  saved.y_ = crtc->y;
  saved.mode_ = crtc->mode;
  saved.connectors_ = connectors_of(device, crtc_id);
  if (saved.connectors_.empty()) return std::nullopt;
  return saved;
}

base::Result<void> SavedCrtc::restore(int fd) const {
  // libdrm does not change the two, but its interface lacks const.
  auto connectors = connectors_;
  auto mode = mode_;
  return drm_result(::drmModeSetCrtc(fd, crtc_id_, framebuffer_id_, x_, y_, connectors.data(),
                                     static_cast<int>(connectors.size()), &mode));
}

}  // namespace drmclient
