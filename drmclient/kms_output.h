#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "drmclient/dumb_buffer.h"
#include "drmclient/kms_commit.h"
#include "drmclient/kms_pipe.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"
#include "drmclient/saved_crtc.h"
#include "drmclient/vblank_source.h"

namespace drmclient {

/// An output of a KmsCard with a mode, and what it shows. The buffer outlives it, and keeps the device open.
/// DRM master is held for the length of a call to the driver, and never while a frame is waited for.
class KmsOutput {
 public:
  /// What depends on the card and not on the output.
  struct Learned {
    bool dirty_unneeded = false;  ///< DIRTYFB said ENOSYS
  };
  /// Waits until the flip with the output's id has been shown.
  using WaitForFlip = std::function<void(OutputId)>;

  /// Notes what the CRTC shows now, for release(). Throws std::system_error.
  KmsOutput(KmsPipe pipe, OutputId output, const DrmDevice& device, Learned& learned);

  /// What drives it.
  [[nodiscard]] const KmsPipe& pipe() const { return pipe_; }
  /// How the driver is told.
  [[nodiscard]] const KmsCommit& commit() const { return *commit_; }
  /// Its vblanks.
  [[nodiscard]] VblankSource& vblank() { return vblank_; }
  /// The same, to ask.
  [[nodiscard]] const VblankSource& vblank() const { return vblank_; }
  /// As last set.
  [[nodiscard]] const Mode& mode() const { return mode_; }
  /// Null before the first set_mode().
  [[nodiscard]] DumbBuffer* front() const { return front_; }
  /// The part of front() that is shown begins there.
  [[nodiscard]] Point origin() const { return origin_; }
  /// As last set.
  [[nodiscard]] Power power() const { return power_; }

  /// Whether the driver would take it. Errors: the driver's; EBUSY and EACCES while another is master.
  [[nodiscard]] Result<void> test_mode(const Mode& mode, const DumbBuffer& buffer);
  /// As Card::set_mode().
  [[nodiscard]] Result<void> set_mode(const Mode& mode, DumbBuffer& buffer, Point origin);
  /// As Card::present(); `damage` is clamped.
  [[nodiscard]] Result<void> present(DumbBuffer& buffer, Point origin, std::span<const Rect> damage,
                                     const WaitForFlip& wait_for_flip);
  /// Whether the CRTC shows the front buffer. Errors: ENODEV for a card that is gone.
  [[nodiscard]] Result<bool> shows_front() const;
  /// Whether the CRTC shows what it showed before us.
  [[nodiscard]] bool shows_before() const;
  /// Sets what the CRTC showed before, where that is still there. Without effect while another is master.
  void restore() const;
  /// As Card::set_power().
  [[nodiscard]] Result<void> set_power(Power power);
  /// As Card::set_gamma().
  [[nodiscard]] Result<void> set_gamma(std::span<const GammaEntry> table);

 private:
  [[nodiscard]] Result<bool> flush(DumbBuffer& buffer, Point origin, std::span<const Rect> damage);
  [[nodiscard]] Result<void> tell_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage);

  KmsPipe pipe_;
  OutputId output_;
  std::optional<SavedCrtc> before_;
  std::unique_ptr<KmsCommit> commit_;
  VblankSource vblank_;
  Learned& learned_;
  Mode mode_;
  DumbBuffer* front_ = nullptr;
  Point origin_;
  Power power_ = Power::on;
};

/// Whether the card's node is gone. Drivers that do not mark their card as unplugged say anything but ENODEV
/// of one that is (qxl: EINVAL).
[[nodiscard]] bool is_gone(const DrmDevice& device);

}  // namespace drmclient
