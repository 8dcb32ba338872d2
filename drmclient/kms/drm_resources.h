#pragma once

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <memory>

namespace drmclient {

/// A deleter for libdrm's copies of kernel data, each of which has a free function of its own.
template <auto free_function>
struct DrmFree {
  /// Frees `object`, for std::unique_ptr.
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};

/// A result of drmGetVersion().
using DrmVersion = std::unique_ptr<drmVersion, DrmFree<&drmFreeVersion>>;
/// A result of drmModeGetResources().
using DrmModeResources = std::unique_ptr<drmModeRes, DrmFree<&drmModeFreeResources>>;
/// A result of drmModeGetConnector().
using DrmModeConnector = std::unique_ptr<drmModeConnector, DrmFree<&drmModeFreeConnector>>;
/// A result of drmModeGetEncoder().
using DrmModeEncoder = std::unique_ptr<drmModeEncoder, DrmFree<&drmModeFreeEncoder>>;
/// A result of drmModeGetCrtc().
using DrmModeCrtc = std::unique_ptr<drmModeCrtc, DrmFree<&drmModeFreeCrtc>>;
/// A result of drmModeGetPlaneResources().
using DrmModePlaneResources = std::unique_ptr<drmModePlaneRes, DrmFree<&drmModeFreePlaneResources>>;
/// A result of drmModeGetPlane().
using DrmModePlane = std::unique_ptr<drmModePlane, DrmFree<&drmModeFreePlane>>;
/// A result of drmModeObjectGetProperties().
using DrmModeObjectProperties =
    std::unique_ptr<drmModeObjectProperties, DrmFree<&drmModeFreeObjectProperties>>;
/// A result of drmModeGetProperty().
using DrmModeProperty = std::unique_ptr<drmModePropertyRes, DrmFree<&drmModeFreeProperty>>;
/// A result of drmModeAtomicAlloc().
using DrmModeAtomicRequest = std::unique_ptr<drmModeAtomicReq, DrmFree<&drmModeAtomicFree>>;

}  // namespace drmclient
