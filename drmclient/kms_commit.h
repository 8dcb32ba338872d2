#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "drmclient/dumb_buffer.h"
#include "drmclient/kms_pipe.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"
#include "drmclient/result.h"

namespace drmclient {

/// A way to tell the driver what a pipe shows. The caller is DRM master during each call. A call that fails
/// leaves everything as it was. Errors: those of the driver; EACCES where the caller is not master.
class KmsCommit {
 public:
  /// Atomic commits where device and pipe have what they take, else the older calls.
  [[nodiscard]] static std::unique_ptr<KmsCommit> make(const DrmDevice& device, const KmsPipe& pipe);

  KmsCommit() = default;
  KmsCommit(const KmsCommit&) = delete;
  KmsCommit& operator=(const KmsCommit&) = delete;
  virtual ~KmsCommit() = default;

  /// Which of the two it is.
  [[nodiscard]] virtual DrmDevice::Interface interface() const = 0;
  /// Whether the driver would take the mode; nothing changes. Where it cannot be asked: yes.
  [[nodiscard]] virtual Result<void> test_mode(const KmsPipe& pipe, const Mode& mode,
                                               const DumbBuffer& buffer) = 0;
  /// Turns the pipe on with `mode`, showing `buffer` from `origin`; its other planes are turned off.
  [[nodiscard]] virtual Result<void> set_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                              Point origin) = 0;
  /// Shows `buffer` from `origin` in the mode that is set; `damage` (clamped) is made visible where the pipe
  /// has_damage_clips(). True where the driver only begins with it here, and an event of the type
  /// DRM_EVENT_FLIP_COMPLETE with `user_data` comes on the device's descriptor when it is done. EBUSY also
  /// where the last one is not done yet.
  [[nodiscard]] virtual Result<bool> show(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                          Point origin, std::span<const Rect> damage, uint64_t user_data) = 0;
  /// Turns the pipe off or on; mode and buffer stay.
  [[nodiscard]] virtual Result<void> set_power(const KmsPipe& pipe, Power power) = 0;
  /// `table` has KmsPipe::gamma_entries() entries.
  [[nodiscard]] virtual Result<void> set_gamma(const KmsPipe& pipe, std::span<const GammaEntry> table) = 0;
};

/// Tells the driver through `fd`, which is master, that `damage` (clamped; empty: all) of `buffer` changed:
/// DRM_IOCTL_MODE_DIRTYFB. Errors: ENOSYS where the driver scans the buffer out directly, so that nothing
/// needs to be told.
[[nodiscard]] Result<void> mark_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage);

}  // namespace drmclient
