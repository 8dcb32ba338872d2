#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"
#include "drmclient/geometry.h"
#include "drmclient/kms_options.h"

namespace drmclient {

/// What libdrm's calls return (negative for an error, with errno set) as a Result.
[[nodiscard]] base::Result<void> drm_result(int returned);

/// Returns true if open(2) of a card's node fails with the errno `code` because there is no such card.
[[nodiscard]] bool is_node_missing(int code);

/// An open primary node of a DRM card. The kernel makes the first opener master; this object gives that up at
/// once, so that a compositor can start at any time. Whoever closes the last descriptor of a card lets the
/// kernel's console back on the screen (drm_lastclose(), drm_client_dev_restore()).
class DrmDevice {
 public:
  /// Opens `path`; `wanted` legacy never uses atomic commits. Throws std::system_error naming the path and
  /// what to do: no such node, no permission, not a DRM node, no dumb buffers.
  explicit DrmDevice(const std::string& path, KmsApi wanted = KmsApi::atomic);

  /// The open node, which is not master.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// As it was opened.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The kernel driver's name (DRM_IOCTL_VERSION).
  [[nodiscard]] const std::string& driver() const { return driver_; }
  /// What was wanted and is there.
  [[nodiscard]] KmsApi api() const { return api_; }
  /// The driver says that it exports buffers (DRM_CAP_PRIME); vmwgfx on 6.1 says so and does not.
  [[nodiscard]] bool can_export() const { return can_export_; }

 private:
  base::UniqueFd fd_;
  std::string path_;
  std::string driver_;
  KmsApi api_ = KmsApi::legacy;
  bool can_export_ = false;
};

/// DRM master, for the length of one operation.
class DrmMaster {
 public:
  /// For calls on the device's own descriptor. Errors: EBUSY where another process is master; EACCES or EPERM
  /// where this one may not become it.
  [[nodiscard]] static base::Result<DrmMaster> take(const DrmDevice& device);
  /// For calls that are made often, on fd(). vmwgfx sends a hotplug uevent at each SET_MASTER
  /// (vmw_master_set()), which would be one for each frame, but none for a master that has just opened the
  /// card: there it opens the card once more. Framebuffers and other KMS objects are the same through every
  /// descriptor.
  [[nodiscard]] static base::Result<DrmMaster> take_quietly(const DrmDevice& device);
  /// Leaves `other` with nothing to own.
  DrmMaster(DrmMaster&& other) noexcept;
  DrmMaster& operator=(DrmMaster&&) = delete;
  DrmMaster(const DrmMaster&) = delete;
  DrmMaster& operator=(const DrmMaster&) = delete;
  ~DrmMaster();

  /// The descriptor that is master.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  explicit DrmMaster(int fd) : fd_(fd) {}
  explicit DrmMaster(base::UniqueFd opened) : opened_(std::move(opened)), fd_(opened_.get()) {}
  base::UniqueFd opened_;  ///< its end is the end of being master
  int fd_;                 ///< of the device, which lives longer, or opened_; -1 where moved from
};

}  // namespace drmclient
