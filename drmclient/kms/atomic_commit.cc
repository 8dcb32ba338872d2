#include "drmclient/kms/atomic_commit.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drmclient/kms/kms_modes.h"

namespace drmclient {
namespace {

/// An owned property blob. The kernel holds its own reference as long as a state uses the blob.
class PropertyBlob {
 public:
  static base::Result<PropertyBlob> make(const DrmDevice& device, const void* data, size_t size_bytes) {
    uint32_t id = 0;
    BASE_TRY(drm_result(::drmModeCreatePropertyBlob(device.fd(), data, size_bytes, &id)));
    return PropertyBlob(device.fd(), id);
  }
  PropertyBlob(PropertyBlob&& other) noexcept : fd_(other.fd_), id_(std::exchange(other.id_, 0)) {}
  PropertyBlob& operator=(PropertyBlob&&) = delete;
  PropertyBlob(const PropertyBlob&) = delete;
  PropertyBlob& operator=(const PropertyBlob&) = delete;
  ~PropertyBlob() {
    if (id_ != 0) static_cast<void>(::drmModeDestroyPropertyBlob(fd_, id_));
  }
  [[nodiscard]] uint32_t id() const { return id_; }

 private:
  PropertyBlob(int fd, uint32_t id) : fd_(fd), id_(id) {}
  int fd_;
  uint32_t id_;
};

/// An atomic request under construction, which keeps the first error until the commit.
class Request {
 public:
  explicit Request(const DrmDevice& device) : device_(device), request_(::drmModeAtomicAlloc()) {
    if (!request_) error_ = ENOMEM;
  }

  void set(uint32_t object, const PropertyTable& properties, const std::string& name, uint64_t value) {
    const auto* property = properties.find(name);
    if (property == nullptr) {
      error_ = error_ != 0 ? error_ : ENOENT;
      return;
    }
    if (request_ && ::drmModeAtomicAddProperty(request_.get(), object, property->id, value) < 0) {
      error_ = ENOMEM;
    }
  }
  void set_if_there(uint32_t object, const PropertyTable& properties, const std::string& name,
                    uint64_t value) {
    if (properties.find(name) != nullptr) set(object, properties, name, value);
  }
  [[nodiscard]] base::Result<void> commit(uint32_t flags, uint64_t user_data = 0) {
    if (error_ != 0) return base::failure(error_);
    // The kernel returns the pointer in the event as a number.
    auto* const pointer = std::bit_cast<void*>(static_cast<uintptr_t>(user_data));
    return drm_result(::drmModeAtomicCommit(device_.fd(), request_.get(), flags, pointer));
  }

 private:
  const DrmDevice& device_;
  DrmModeAtomicRequest request_;
  int error_ = 0;
};

void set_plane(Request& request, const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
               Point origin) {
  constexpr unsigned fraction_bits = 16;  // of source coordinates in 16.16 format
  const uint32_t plane = pipe.plane_id;
  request.set(plane, pipe.plane, "FB_ID", buffer.framebuffer_id());
  request.set(plane, pipe.plane, "CRTC_ID", pipe.crtc_id);
  request.set(plane, pipe.plane, "SRC_X", uint64_t{origin.x} << fraction_bits);
  request.set(plane, pipe.plane, "SRC_Y", uint64_t{origin.y} << fraction_bits);
  request.set(plane, pipe.plane, "SRC_W", uint64_t{mode.hdisplay} << fraction_bits);
  request.set(plane, pipe.plane, "SRC_H", uint64_t{mode.vdisplay} << fraction_bits);
  request.set(plane, pipe.plane, "CRTC_X", 0);
  request.set(plane, pipe.plane, "CRTC_Y", 0);
  request.set(plane, pipe.plane, "CRTC_W", mode.hdisplay);
  request.set(plane, pipe.plane, "CRTC_H", mode.vdisplay);
}

/// Turns off the overlay and cursor planes that another program left on the pipe's CRTC.
void clear_other_planes(Request& request, const DrmDevice& device, const KmsPipe& pipe) {
  const DrmModePlaneResources planes(::drmModeGetPlaneResources(device.fd()));
  if (!planes) return;
  for (const uint32_t id : std::span(planes->planes, planes->count_planes)) {
    const DrmModePlane plane(::drmModeGetPlane(device.fd(), id));
    if (!plane || id == pipe.plane_id || plane->crtc_id != pipe.crtc_id) continue;
    const PropertyTable properties(device, id, DRM_MODE_OBJECT_PLANE);
    request.set(id, properties, "FB_ID", 0);
    request.set(id, properties, "CRTC_ID", 0);
  }
}

/// Removes other connectors from the pipe's CRTC. The kernel's console may have cloned them, and they may not
/// support the new mode.
void clear_other_connectors(Request& request, const DrmDevice& device, const KmsPipe& pipe) {
  const DrmModeResources resources(::drmModeGetResources(device.fd()));
  if (!resources) return;
  for (const uint32_t id :
       std::span(resources->connectors, static_cast<size_t>(resources->count_connectors))) {
    if (id == pipe.connector_id) continue;
    const PropertyTable properties(device, id, DRM_MODE_OBJECT_CONNECTOR);
    const auto* crtc = properties.find("CRTC_ID");
    if (crtc != nullptr && crtc->value == pipe.crtc_id) request.set(id, properties, "CRTC_ID", 0);
  }
}

}  // namespace

base::Result<void> AtomicCommit::commit_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                             Point origin, uint32_t flags) const {
  const drmModeModeInfo info = mode_to_kernel(mode);
  const auto blob = BASE_TRY(PropertyBlob::make(device_, &info, sizeof info));
  Request request(device_);
  clear_other_planes(request, device_, pipe);
  clear_other_connectors(request, device_, pipe);
  request.set(pipe.connector_id, pipe.connector, "CRTC_ID", pipe.crtc_id);
  request.set(pipe.crtc_id, pipe.crtc, "MODE_ID", blob.id());
  request.set(pipe.crtc_id, pipe.crtc, "ACTIVE", 1);
  set_plane(request, pipe, mode, buffer, origin);
  request.set_if_there(pipe.plane_id, pipe.plane, "rotation", DRM_MODE_ROTATE_0);
  return request.commit(flags | DRM_MODE_ATOMIC_ALLOW_MODESET);
}

base::Result<void> AtomicCommit::test_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer) {
  return commit_mode(pipe, mode, buffer, {}, DRM_MODE_ATOMIC_TEST_ONLY);
}

base::Result<void> AtomicCommit::set_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                          Point origin) {
  return commit_mode(pipe, mode, buffer, origin, 0);
}

base::Result<bool> AtomicCommit::show(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                      Point origin, std::span<const Rect> damage, uint64_t user_data) {
  static_assert(sizeof(Rect) == sizeof(drm_mode_rect), "the blob is an array of drm_mode_rect");
  // Without waiting, because some drivers need a whole frame, and DRM master would be held during that time.
  constexpr uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT;
  Request request(device_);
  set_plane(request, pipe, mode, buffer, origin);
  std::optional<PropertyBlob> clips;
  if (pipe.has_damage_clips() && !damage.empty()) {
    auto made = BASE_TRY(PropertyBlob::make(device_, damage.data(), damage.size_bytes()));
    clips.emplace(std::move(made));
    request.set(pipe.plane_id, pipe.plane, "FB_DAMAGE_CLIPS", clips->id());
  }
  BASE_TRY(request.commit(flags, user_data));
  return true;
}

base::Result<void> AtomicCommit::set_power(const KmsPipe& pipe, Power power) {
  Request request(device_);
  request.set(pipe.crtc_id, pipe.crtc, "ACTIVE", power == Power::on ? 1 : 0);
  return request.commit(DRM_MODE_ATOMIC_ALLOW_MODESET);
}

base::Result<void> AtomicCommit::set_gamma(const KmsPipe& pipe, std::span<const GammaEntry> table) {
  std::vector<drm_color_lut> entries;
  entries.reserve(table.size());
  for (const GammaEntry& entry : table) entries.push_back({entry.red, entry.green, entry.blue, 0});
  const auto lut =
      BASE_TRY(PropertyBlob::make(device_, entries.data(), entries.size() * sizeof(drm_color_lut)));
  Request request(device_);
  request.set(pipe.crtc_id, pipe.crtc, "GAMMA_LUT", lut.id());
  return request.commit(0);
}

}  // namespace drmclient
