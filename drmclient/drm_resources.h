#pragma once

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <memory>

namespace drmclient {

/// libdrm's copies of what the kernel told, each freed by libdrm's own function.
template <auto free_function>
struct DrmFree {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};

using DrmVersion = std::unique_ptr<drmVersion, DrmFree<&drmFreeVersion>>;
using DrmModeResources = std::unique_ptr<drmModeRes, DrmFree<&drmModeFreeResources>>;
using DrmModeConnector = std::unique_ptr<drmModeConnector, DrmFree<&drmModeFreeConnector>>;
using DrmModeEncoder = std::unique_ptr<drmModeEncoder, DrmFree<&drmModeFreeEncoder>>;
using DrmModeCrtc = std::unique_ptr<drmModeCrtc, DrmFree<&drmModeFreeCrtc>>;
using DrmModePlaneResources = std::unique_ptr<drmModePlaneRes, DrmFree<&drmModeFreePlaneResources>>;
using DrmModePlane = std::unique_ptr<drmModePlane, DrmFree<&drmModeFreePlane>>;
using DrmModeObjectProperties =
    std::unique_ptr<drmModeObjectProperties, DrmFree<&drmModeFreeObjectProperties>>;
using DrmModeProperty = std::unique_ptr<drmModePropertyRes, DrmFree<&drmModeFreeProperty>>;
using DrmModeAtomicRequest = std::unique_ptr<drmModeAtomicReq, DrmFree<&drmModeAtomicFree>>;

}  // namespace drmclient
