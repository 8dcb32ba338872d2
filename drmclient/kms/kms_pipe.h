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

/// The properties of one KMS object by name, with the values they had when they were read.
class PropertyTable {
 public:
  /// One of them.
  struct Property {
    uint32_t id = 0;     ///< KMS's object id
    uint64_t value = 0;  ///< as drmModeObjectGetProperties() gives it
  };

  PropertyTable() = default;
  /// Empty where the object has none or does not exist.
  PropertyTable(const DrmDevice& device, uint32_t object, uint32_t object_type);

  /// Null where there is no property of that name.
  [[nodiscard]] const Property* find(const std::string& name) const;

 private:
  std::map<std::string, Property> properties_;
};

/// The way from a framebuffer to a connector: which CRTC and which primary plane, and what they can do.
struct KmsPipe {
  uint32_t connector_id = 0;  ///< KMS's object id
  uint32_t crtc_id = 0;       ///< KMS's object id
  uint32_t crtc_index = 0;    ///< for the vblank ioctls, which count CRTCs
  uint32_t plane_id = 0;      ///< 0 where the driver shows none
  uint32_t gamma_size = 0;    ///< of the legacy gamma table
  PropertyTable connector;    ///< its properties
  PropertyTable crtc;         ///< likewise
  PropertyTable plane;        ///< likewise; empty without a plane

  /// Whether commits can say what changed.
  [[nodiscard]] bool has_damage_clips() const { return plane.find("FB_DAMAGE_CLIPS") != nullptr; }
  /// The entries of its gamma table, whichever interface it has; 0 without one.
  [[nodiscard]] uint32_t gamma_entries() const;
};

/// A connector as the kernel tells it, with its pipe where one is free to drive it.
struct KmsConnector {
  Output output;                ///< for those who use the card
  std::optional<KmsPipe> pipe;  ///< nothing where other outputs have all the CRTCs
  /// The kernel has never looked for a monitor, and did not look now: another process is DRM master.
  bool unprobed = false;
};

/// All connectors that can show a picture, as they are now. The kernel probes the hardware only for a DRM
/// master (drm_mode_getconnector()), so where nobody else is, this process is one for that long. Errors:
/// those of DRM_IOCTL_MODE_GETRESOURCES, ENODEV for a card that is gone.
[[nodiscard]] base::Result<std::vector<KmsConnector>> read_connectors(const DrmDevice& device);

}  // namespace drmclient
