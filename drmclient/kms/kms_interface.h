#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "drmclient/kms/dumb_buffer.h"
#include "drmclient/kms/kms_pipe.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"

namespace drmclient {

/// The interface that sets the state of a pipe. The caller must be DRM master during each call. A call that
/// fails changes nothing. Errors: those of the driver; EACCES if the caller is not master.
class KmsInterface {
 public:
  KmsInterface() = default;
  KmsInterface(const KmsInterface&) = delete;
  KmsInterface& operator=(const KmsInterface&) = delete;
  virtual ~KmsInterface() = default;

  /// Returns the API of this interface.
  [[nodiscard]] virtual KmsApi api() const = 0;
  /// Checks if the driver accepts the mode, without setting it. Returns success if the API cannot check.
  [[nodiscard]] virtual base::Result<void> test_mode(const KmsPipe& pipe, const Mode& mode,
                                                     const DumbBuffer& buffer) = 0;
  /// Enables the pipe with `mode` and shows `buffer` from `origin`; its other planes are turned off.
  [[nodiscard]] virtual base::Result<void> set_mode(const KmsPipe& pipe, const Mode& mode,
                                                    const DumbBuffer& buffer, Point origin) = 0;
  /// Shows `buffer` from `origin` in the current mode. If the pipe has_damage_clips(), makes `damage`
  /// (clamped) visible.
  ///
  /// Returns true if the flip is still pending. Then a DRM_EVENT_FLIP_COMPLETE with `user_data` arrives on
  /// the device's descriptor at its end. Errors: also EBUSY if the previous flip is pending.
  [[nodiscard]] virtual base::Result<bool> show(const KmsPipe& pipe, const Mode& mode,
                                                const DumbBuffer& buffer, Point origin,
                                                std::span<const Rect> damage, uint64_t user_data) = 0;
  /// Turns the pipe on or off; mode and buffer are kept.
  [[nodiscard]] virtual base::Result<void> set_power(const KmsPipe& pipe, Power power) = 0;
  /// Loads the gamma table; `table` has KmsPipe::gamma_entries() entries.
  [[nodiscard]] virtual base::Result<void> set_gamma(const KmsPipe& pipe,
                                                     std::span<const GammaEntry> table) = 0;
};

}  // namespace drmclient
