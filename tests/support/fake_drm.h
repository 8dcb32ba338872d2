#pragma once

#include <xf86drmMode.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "drmclient/pixel_format.h"
#include "tests/support/temporary_folder.h"

namespace unit {

/// A DRM card in memory that supports only legacy KMS. kms_test defines the calls of libdrm and libudev that
/// drmclient makes (fake_drm.cc, fake_udev.cc); they use the current FakeDrm. The card's node is a FIFO, so
/// it can be polled and read.
class FakeDrm {
 public:
  struct Connector {
    uint32_t id = 0;
    bool connected = true;
    std::vector<drmModeModeInfo> modes;
    uint32_t encoder_id = 0;  ///< the current encoder; 0 while the connector is disabled
    bool probed = true;       ///< a DRM master has probed it
    uint32_t type = DRM_MODE_CONNECTOR_VIRTUAL;
    uint32_t type_id = 0;  ///< 0: by the order of the connectors
    uint32_t width_mm = 0;
    uint32_t height_mm = 0;
  };
  struct Encoder {
    uint32_t id = 0;
    uint32_t possible_crtcs = 0;
    uint32_t crtc_id = 0;  ///< the current CRTC; 0 while the encoder is disabled
  };
  struct Crtc {
    uint32_t id = 0;
    uint32_t framebuffer_id = 0;
    drmModeModeInfo mode{};
    bool on = false;
  };
  /// A vblank request to the driver.
  struct VblankRequest {
    bool by_sequence = false;  ///< DRM_IOCTL_CRTC_QUEUE_SEQUENCE, not DRM_IOCTL_WAIT_VBLANK
    bool relative = true;
    uint64_t sequence = 0;
    uint64_t user_data = 0;
    friend bool operator==(const VblankRequest&, const VblankRequest&) = default;
  };
  /// A device of the subsystem drm in sysfs.
  struct Device {
    std::string name;
    std::string node;  ///< empty for a connector
  };
  struct Uevent {
    std::string action;
    std::string devname;
    std::string hotplug;
  };

  static constexpr uint32_t first_connector = 41;
  static constexpr uint32_t first_encoder = 51;
  static constexpr uint32_t first_crtc = 31;

  /// Makes a card with `outputs` connectors, connected and disabled, and `with_crtcs` CRTCs. Each CRTC can
  /// drive each connector.
  explicit FakeDrm(size_t outputs = 1, size_t with_crtcs = 1);
  ~FakeDrm();
  FakeDrm(const FakeDrm&) = delete;
  FakeDrm& operator=(const FakeDrm&) = delete;

  [[nodiscard]] static bool exists();
  /// Returns the current card. Throws std::logic_error if there is none.
  static FakeDrm& current();
  /// Returns a mode of 1024x768 at 60 Hz.
  static drmModeModeInfo a_mode();

  [[nodiscard]] std::string path() const { return folder_.file("card0"); }
  void remove_node() const;
  void add_node() const;
  /// Returns the path of the node `name` in the folder of the card's node.
  [[nodiscard]] std::string device_path(const std::string& name) const { return folder_.file(name); }
  /// Adds a device with a node; "card0" has one already.
  void add_device(const std::string& name);
  void send_uevent(const std::string& action, bool hotplug);

  /// Returns the object with the id; null for an unknown id.
  [[nodiscard]] Connector* connector(uint32_t id);
  [[nodiscard]] Encoder* encoder(uint32_t id);
  [[nodiscard]] Crtc* crtc(uint32_t id);

  std::vector<Connector> connectors;
  std::vector<Encoder> encoders;
  std::vector<Crtc> crtcs;
  std::vector<drmclient::PixelFormat> formats{drmclient::PixelFormat::xrgb8888};
  std::map<uint32_t, drmclient::PixelFormat> framebuffers;  ///< by id
  bool other_master = false;                                ///< another process is DRM master
  bool is_master = false;                                   ///< this process is DRM master
  unsigned refused_masters = 0;                             ///< the next calls of drmSetMaster() that fail
  int refuse_sequences = 0;                                 ///< errno of drmCrtcQueueSequence(); 0: success
  int refuse_waits = 0;                                     ///< errno of drmWaitVBlank(); 0: success
  std::vector<drmclient::PixelFormat> refused_formats;      ///< formats whose mode sets fail with EINVAL
  std::vector<VblankRequest> vblank_requests;
  std::map<std::string, unsigned> calls;  ///< number of calls of each libdrm function
  uint32_t last_object = 100;
  std::vector<Device> devices;  ///< those that udev enumerates
  std::vector<Uevent> uevents;
  base::UniqueFd uevent_descriptor;

 private:
  TemporaryFolder folder_;
};

}  // namespace unit
