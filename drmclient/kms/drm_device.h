#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"
#include "drmclient/geometry.h"
#include "drmclient/kms_options.h"

namespace drmclient {

/// Converts the return value of a libdrm call (negative for an error, with errno set) to a Result.
[[nodiscard]] base::Result<void> drm_result(int returned);

/// Returns true if open(2) of a card's node failed with `error` because there is no such card.
[[nodiscard]] bool is_node_missing(const std::error_code& error);

/// An open primary node of a DRM card. The kernel makes the first opener DRM master. This object drops master
/// at once, so that a compositor can start at any time. When the last descriptor of a card is closed, the
/// kernel restores its console (drm_lastclose(), drm_client_dev_restore()).
class DrmDevice {
 public:
  /// Opens `path`. `wanted` legacy disables atomic commits. Throws std::system_error that names the path and
  /// the remedy: no such node, no permission, not a DRM node, no dumb buffers.
  explicit DrmDevice(const std::string& path, KmsApi wanted = KmsApi::atomic);

  /// Returns the open node, which is not DRM master.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Returns the path of the node.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Returns the kernel driver's name (DRM_IOCTL_VERSION).
  [[nodiscard]] const std::string& driver() const { return driver_; }
  /// Returns the interface that was wanted, or legacy if the driver has no other.
  [[nodiscard]] KmsApi api() const { return api_; }
  /// Returns true if the driver claims to export buffers (DRM_CAP_PRIME). vmwgfx on 6.1 claims it without
  /// doing so.
  [[nodiscard]] bool can_export() const { return can_export_; }

 private:
  base::UniqueFd fd_;
  std::string path_;
  std::string driver_;
  KmsApi api_ = KmsApi::legacy;
  bool can_export_ = false;
};

/// DRM master for the duration of one operation; the destructor drops it.
class DrmMaster {
 public:
  /// Becomes DRM master on the device's own descriptor. Errors: EBUSY if another process is master; EACCES or
  /// EPERM if this process is not permitted to become it.
  [[nodiscard]] static base::Result<DrmMaster> take(const DrmDevice& device);
  /// Becomes DRM master on fd(), without side effects, for frequent calls. vmwgfx sends a hotplug uevent at
  /// each SET_MASTER (vmw_master_set()), but not if a process becomes master by opening the card. So for
  /// vmwgfx the card is opened once more. Framebuffers and other KMS objects are the same on every
  /// descriptor.
  [[nodiscard]] static base::Result<DrmMaster> take_quietly(const DrmDevice& device);
  /// Takes DRM master from `other`, which does not drop it afterwards.
  DrmMaster(DrmMaster&& other) noexcept;
  DrmMaster& operator=(DrmMaster&&) = delete;
  DrmMaster(const DrmMaster&) = delete;
  DrmMaster& operator=(const DrmMaster&) = delete;
  ~DrmMaster();

  /// Returns the descriptor that is DRM master.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  explicit DrmMaster(int fd) : fd_(fd) {}
  explicit DrmMaster(base::UniqueFd opened) : opened_(std::move(opened)), fd_(opened_.get()) {}
  base::UniqueFd opened_;  ///< DRM master ends when it is closed
  int fd_;  ///< opened_, or the descriptor of the device, which outlives this object; -1 if moved from
};

}  // namespace drmclient
