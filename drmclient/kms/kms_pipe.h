#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drmclient/kms/drm_device.h"
#include "drmclient/kms/drm_resources.h"
#include "drmclient/output.h"

namespace drmclient {

/// The properties of a KMS object by name, with the values at the time of reading.
class PropertyTable {
 public:
  /// A property of the object.
  struct Property {
    uint32_t id = 0;     ///< KMS object id
    uint64_t value = 0;  ///< the value of drmModeObjectGetProperties()
  };

  PropertyTable() = default;
  /// Reads the properties; the table is empty if the object has none or does not exist.
  PropertyTable(const DrmDevice& device, uint32_t object, uint32_t object_type);

  /// Returns the property `name`; null if the object does not have it.
  [[nodiscard]] const Property* find(const std::string& name) const;

 private:
  std::map<std::string, Property> properties_;
};

/// The path from a framebuffer to a connector: its CRTC and primary plane, and their properties.
struct KmsPipe {
  uint32_t connector_id = 0;  ///< KMS object id
  uint32_t crtc_id = 0;       ///< KMS object id
  uint32_t crtc_index = 0;    ///< index of the CRTC, for the vblank ioctls
  uint32_t plane_id = 0;      ///< KMS object id; 0 if the driver exposes no plane
  uint32_t gamma_size = 0;    ///< length of the legacy gamma table
  PropertyTable connector;    ///< properties of the connector
  PropertyTable crtc;         ///< properties of the CRTC
  PropertyTable plane;        ///< properties of the plane; empty without a plane

  /// Returns true if atomic commits can pass damage clips.
  [[nodiscard]] bool has_damage_clips() const { return plane.find("FB_DAMAGE_CLIPS") != nullptr; }
  /// Returns the length of the gamma table of either interface; 0 without one.
  [[nodiscard]] uint32_t gamma_entries() const;
};

/// A connector with the kernel's data, and its pipe if a CRTC is free.
struct KmsConnector {
  uint32_t id = 0;              ///< KMS object id
  OutputInfo info;              ///< the properties of the output
  std::optional<KmsPipe> pipe;  ///< nothing if other outputs use all CRTCs
  /// True if the kernel has never probed the connector because another process is DRM master.
  bool unprobed = false;
};

/// Reads all connectors that can show a picture. The kernel probes the hardware only for the DRM master
/// (drm_mode_getconnector()), so this process becomes master during the call if no other process is. Errors:
/// those of DRM_IOCTL_MODE_GETRESOURCES, ENODEV if the card was unplugged.
[[nodiscard]] base::Result<std::vector<KmsConnector>> read_connectors(const DrmDevice& device);

}  // namespace drmclient
