#include "drmclient/kms/kms_pipe.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "drmclient/card.h"
#include "drmclient/kms/kms_modes.h"

namespace drmclient {
namespace {

/// Returns the CRTC that drives the connector now, or else the first free one that can; 0 if there is none.
uint32_t choose_crtc(const DrmDevice& device, const drmModeRes& resources, const drmModeConnector& connector,
                     const std::set<uint32_t>& taken) {
  if (connector.encoder_id != 0) {
    const DrmModeEncoder encoder(::drmModeGetEncoder(device.fd(), connector.encoder_id));
    if (encoder && encoder->crtc_id != 0 && !taken.contains(encoder->crtc_id)) return encoder->crtc_id;
  }
  const std::span crtcs(resources.crtcs, static_cast<size_t>(resources.count_crtcs));
  for (const uint32_t id : std::span(connector.encoders, static_cast<size_t>(connector.count_encoders))) {
    const DrmModeEncoder encoder(::drmModeGetEncoder(device.fd(), id));
    if (!encoder) continue;
    for (uint32_t index = 0; index < crtcs.size(); ++index) {
      if ((encoder->possible_crtcs & (1U << index)) != 0 && !taken.contains(crtcs[index])) {
        return crtcs[index];
      }
    }
  }
  return 0;
}

std::vector<PixelFormat> known_formats(const drmModePlane& plane) {
  std::vector<PixelFormat> formats;
  for (const uint32_t code : std::span(plane.formats, plane.count_formats)) {
    const auto format = static_cast<PixelFormat>(code);
    if (bytes_per_pixel(format) != 0 && std::ranges::find(formats, format) == formats.end()) {
      formats.push_back(format);
    }
  }
  return formats;
}

/// Sets the primary plane of `pipe` and returns the formats that it scans out.
std::vector<PixelFormat> find_primary_plane(const DrmDevice& device, KmsPipe& pipe) {
  const DrmModePlaneResources planes(::drmModeGetPlaneResources(device.fd()));
  if (!planes) return {};
  for (const uint32_t id : std::span(planes->planes, planes->count_planes)) {
    const DrmModePlane plane(::drmModeGetPlane(device.fd(), id));
    if (!plane || (plane->possible_crtcs & (1U << pipe.crtc_index)) == 0) continue;
    PropertyTable properties(device, id, DRM_MODE_OBJECT_PLANE);
    const auto* type = properties.find("type");
    if (type == nullptr || type->value != DRM_PLANE_TYPE_PRIMARY) continue;
    // The primary plane of another CRTC may also support this CRTC, but each CRTC has priority for its own
    // plane.
    if (plane->crtc_id != 0 && plane->crtc_id != pipe.crtc_id) continue;
    pipe.plane_id = id;
    pipe.plane = std::move(properties);
    return known_formats(*plane);
  }
  return {};
}

std::optional<KmsPipe> make_pipe(const DrmDevice& device, const drmModeRes& resources,
                                 const drmModeConnector& connector, std::set<uint32_t>& taken) {
  KmsPipe pipe;
  pipe.connector_id = connector.connector_id;
  pipe.crtc_id = choose_crtc(device, resources, connector, taken);
  if (pipe.crtc_id == 0) return std::nullopt;
  const std::span crtcs(resources.crtcs, static_cast<size_t>(resources.count_crtcs));
  pipe.crtc_index = static_cast<uint32_t>(std::ranges::find(crtcs, pipe.crtc_id) - crtcs.begin());
  if (const DrmModeCrtc crtc(::drmModeGetCrtc(device.fd(), pipe.crtc_id)); crtc) {
    pipe.gamma_size = static_cast<uint32_t>(crtc->gamma_size);
  }
  pipe.connector = PropertyTable(device, pipe.connector_id, DRM_MODE_OBJECT_CONNECTOR);
  pipe.crtc = PropertyTable(device, pipe.crtc_id, DRM_MODE_OBJECT_CRTC);
  taken.insert(pipe.crtc_id);
  return pipe;
}

std::string connector_name(const drmModeConnector& connector) {
  const char* type = ::drmModeGetConnectorTypeName(connector.connector_type);
  return std::string(type != nullptr ? type : "Unknown") + "-" + std::to_string(connector.connector_type_id);
}

OutputInfo make_info(const drmModeConnector& connector, const drmModeRes& resources) {
  OutputInfo output;
  output.name = connector_name(connector);
  output.connected = connector.connection == DRM_MODE_CONNECTED;
  output.size_mm = {connector.mmWidth, connector.mmHeight};
  output.modes = modes_from_kernel(connector.modes, static_cast<size_t>(connector.count_modes));
  output.custom_modes_up_to = {resources.max_width, resources.max_height};
  return output;
}

/// Returns true for the display of a headset, which consoles do not use (drm_client_connectors_enabled()).
bool is_non_desktop(const DrmDevice& device, uint32_t connector) {
  const PropertyTable properties(device, connector, DRM_MODE_OBJECT_CONNECTOR);
  const auto* property = properties.find("non-desktop");
  return property != nullptr && property->value != 0;
}

}  // namespace

PropertyTable::PropertyTable(const DrmDevice& device, uint32_t object, uint32_t object_type) {
  const DrmModeObjectProperties list(::drmModeObjectGetProperties(device.fd(), object, object_type));
  if (!list) return;
  for (uint32_t i = 0; i < list->count_props; ++i) {
    const DrmModeProperty property(::drmModeGetProperty(device.fd(), list->props[i]));
    if (property) properties_[property->name] = {list->props[i], list->prop_values[i]};
  }
}

const PropertyTable::Property* PropertyTable::find(const std::string& name) const {
  const auto found = properties_.find(name);
  return found == properties_.end() ? nullptr : &found->second;
}

uint32_t KmsPipe::gamma_entries() const {
  if (gamma_size != 0) return gamma_size;
  const auto* lut = crtc.find("GAMMA_LUT");
  const auto* size = crtc.find("GAMMA_LUT_SIZE");
  return lut != nullptr && size != nullptr ? static_cast<uint32_t>(size->value) : 0;
}

base::Result<std::vector<KmsConnector>> read_connectors(const DrmDevice& device) {
  const DrmModeResources resources(::drmModeGetResources(device.fd()));
  if (!resources) return base::failure_from_errno();
  // Without DRM master the kernel returns its last known state, which suffices.
  const auto master = DrmMaster::take_quietly(device);
  const int fd = master ? master->fd() : device.fd();

  std::vector<DrmModeConnector> present;
  for (const uint32_t id :
       std::span(resources->connectors, static_cast<size_t>(resources->count_connectors))) {
    DrmModeConnector connector(::drmModeGetConnector(fd, id));
    if (!connector) {
      // A connector may disappear between two calls (DisplayPort MST). An unplugged card fails for all
      // connectors.
      const std::error_code error(errno, std::generic_category());
      if (is_unplugged(error)) return tl::make_unexpected(error);
      continue;
    }
    if (connector->connector_type == DRM_MODE_CONNECTOR_WRITEBACK || is_non_desktop(device, id)) continue;
    present.push_back(std::move(connector));
  }
  // Enabled connectors keep their CRTCs; then connected ones choose before the others.
  std::ranges::stable_sort(present, {}, [](const DrmModeConnector& connector) {
    return connector->connection == DRM_MODE_CONNECTED ? (connector->encoder_id != 0 ? 0 : 1) : 2;
  });
  std::set<uint32_t> taken;
  std::vector<KmsConnector> connectors;
  for (const DrmModeConnector& connector : present) {
    KmsConnector found{connector->connector_id, make_info(*connector, *resources),
                       make_pipe(device, *resources, *connector, taken),
                       !master && connector->connection == DRM_MODE_UNKNOWNCONNECTION};
    if (found.pipe) {
      found.info.formats = find_primary_plane(device, *found.pipe);
      // Drivers without universal planes support at least this format.
      if (found.info.formats.empty()) found.info.formats = {PixelFormat::xrgb8888};
      found.info.gamma_entries = found.pipe->gamma_entries();
    }
    connectors.push_back(std::move(found));
  }
  std::ranges::sort(connectors, {}, &KmsConnector::id);
  return connectors;
}

}  // namespace drmclient
