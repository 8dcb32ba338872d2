#pragma once

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <memory>

namespace drmclient {

/// libdrm's copies of what the kernel told, each freed by libdrm's own function.
template <auto free_function>
struct DrmFree {
  /// For std::unique_ptr.
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};

/// Of drmGetVersion().
using DrmVersion = std::unique_ptr<drmVersion, DrmFree<&drmFreeVersion>>;
/// Of drmModeGetResources().
using DrmModeResources = std::unique_ptr<drmModeRes, DrmFree<&drmModeFreeResources>>;
/// Of drmModeGetConnector().
using DrmModeConnector = std::unique_ptr<drmModeConnector, DrmFree<&drmModeFreeConnector>>;
/// Of drmModeGetEncoder().
using DrmModeEncoder = std::unique_ptr<drmModeEncoder, DrmFree<&drmModeFreeEncoder>>;
/// Of drmModeGetCrtc().
using DrmModeCrtc = std::unique_ptr<drmModeCrtc, DrmFree<&drmModeFreeCrtc>>;
/// Of drmModeGetPlaneResources().
using DrmModePlaneResources = std::unique_ptr<drmModePlaneRes, DrmFree<&drmModeFreePlaneResources>>;
/// Of drmModeGetPlane().
using DrmModePlane = std::unique_ptr<drmModePlane, DrmFree<&drmModeFreePlane>>;
/// Of drmModeObjectGetProperties().
using DrmModeObjectProperties =
    std::unique_ptr<drmModeObjectProperties, DrmFree<&drmModeFreeObjectProperties>>;
/// Of drmModeGetProperty().
using DrmModeProperty = std::unique_ptr<drmModePropertyRes, DrmFree<&drmModeFreeProperty>>;
/// Of drmModeAtomicAlloc().
using DrmModeAtomicRequest = std::unique_ptr<drmModeAtomicReq, DrmFree<&drmModeAtomicFree>>;

}  // namespace drmclient
