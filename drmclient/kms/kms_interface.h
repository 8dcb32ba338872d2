#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "drmclient/kms/dumb_buffer.h"
#include "drmclient/kms/kms_pipe.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"

namespace drmclient {

/// A way to tell the driver what a pipe shows. The caller is DRM master during each call. A call that fails
/// leaves everything as it was. Errors: those of the driver; EACCES where the caller is not master.
class KmsInterface {
 public:
  KmsInterface() = default;
  KmsInterface(const KmsInterface&) = delete;
  KmsInterface& operator=(const KmsInterface&) = delete;
  virtual ~KmsInterface() = default;

  /// Which of the two it is.
  [[nodiscard]] virtual KmsApi api() const = 0;
  /// Whether the driver would take the mode; nothing changes. Where it cannot be asked: yes.
  [[nodiscard]] virtual base::Result<void> test_mode(const KmsPipe& pipe, const Mode& mode,
                                                     const DumbBuffer& buffer) = 0;
  /// Turns the pipe on with `mode`, showing `buffer` from `origin`; its other planes are turned off.
  [[nodiscard]] virtual base::Result<void> set_mode(const KmsPipe& pipe, const Mode& mode,
                                                    const DumbBuffer& buffer, Point origin) = 0;
  /// Shows `buffer` from `origin` in the mode that is set; `damage` (clamped) is made visible where the pipe
  /// has_damage_clips(). True where the driver only begins with it here, and an event of the type
  /// DRM_EVENT_FLIP_COMPLETE with `user_data` comes on the device's descriptor when it is done. EBUSY also
  /// where the last one is not done yet.
  [[nodiscard]] virtual base::Result<bool> show(const KmsPipe& pipe, const Mode& mode,
                                                const DumbBuffer& buffer, Point origin,
                                                std::span<const Rect> damage, uint64_t user_data) = 0;
  /// Turns the pipe off or on; mode and buffer stay.
  [[nodiscard]] virtual base::Result<void> set_power(const KmsPipe& pipe, Power power) = 0;
  /// `table` has KmsPipe::gamma_entries() entries.
  [[nodiscard]] virtual base::Result<void> set_gamma(const KmsPipe& pipe,
                                                     std::span<const GammaEntry> table) = 0;
};

}  // namespace drmclient
