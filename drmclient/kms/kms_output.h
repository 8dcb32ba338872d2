#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.h"
#include "drmclient/kms/dumb_buffer.h"
#include "drmclient/kms/kms_interface.h"
#include "drmclient/kms/kms_pipe.h"
#include "drmclient/kms/saved_crtc.h"
#include "drmclient/kms/vblank_source.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"

namespace drmclient {

/// An output of a KmsCard with a mode, and what it shows. The buffer outlives it, and keeps the device open.
/// DRM master is held for the length of a call to the driver, and never while a frame is waited for.
class KmsOutput {
 public:
  /// What depends on the card and not on the output.
  struct CardQuirks {
    bool dirty_unneeded = false;  ///< DIRTYFB said ENOSYS
  };
  /// Notes what the CRTC shows now, for release(). `quirks` and `clock` must outlive this object. Throws
  /// std::system_error.
  KmsOutput(KmsPipe pipe, OutputId output, const DrmDevice& device, CardQuirks& quirks,
            const base::Clock& clock);

  /// What drives it.
  [[nodiscard]] const KmsPipe& pipe() const { return pipe_; }
  /// How the driver is told.
  [[nodiscard]] const KmsInterface& commit() const { return *commit_; }
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

  /// As Card::set_mode().
  [[nodiscard]] base::Result<void> set_mode(const Mode& mode, DumbBuffer& buffer, Point origin);
  /// The first part of Card::present(); `damage` is clamped. True where a flip event with the output's id
  /// follows, which is to be waited for. presented() comes after that.
  [[nodiscard]] base::Result<bool> submit(DumbBuffer& buffer, Point origin, std::span<const Rect> damage);
  /// Where submit() had something to do: it is on the screen now.
  void presented();
  /// Whether the CRTC shows the front buffer: one ioctl. submit() in the same frame relies on a "yes".
  /// Errors: ENODEV for a card that is gone.
  [[nodiscard]] base::Result<bool> scans_out_front();
  /// The framebuffer that the CRTC shows now; 0 where it is off, or not to be learned.
  [[nodiscard]] uint32_t framebuffer_shown() const;
  /// What the CRTC showed before us; 0 where it was off.
  [[nodiscard]] uint32_t framebuffer_before() const { return before_ ? before_->framebuffer_id() : 0; }
  /// Sets what the CRTC showed before, where that is still there. Without effect while another is master.
  void restore() const;
  /// As Card::set_power().
  [[nodiscard]] base::Result<void> set_power(Power power);
  /// As Card::set_gamma().
  [[nodiscard]] base::Result<void> set_gamma(std::span<const GammaEntry> table);

 private:
  [[nodiscard]] bool is_flip(const DumbBuffer& buffer, Point origin) const {
    return &buffer != front_ || origin != origin_;
  }
  [[nodiscard]] base::Result<bool> shown_this_frame();
  [[nodiscard]] base::Result<bool> flush(DumbBuffer& buffer, Point origin, std::span<const Rect> damage);
  [[nodiscard]] base::Result<void> report_dirty(int fd, const DumbBuffer& buffer,
                                                std::span<const Rect> damage);

  KmsPipe pipe_;
  OutputId output_;
  std::optional<SavedCrtc> before_;
  std::unique_ptr<KmsInterface> commit_;
  VblankSource vblank_;
  CardQuirks& quirks_;
  const base::Clock& clock_;
  Mode mode_;
  DumbBuffer* front_ = nullptr;
  Point origin_;
  Power power_ = Power::on;
  std::optional<std::chrono::steady_clock::time_point> submitted_;  ///< and not yet presented
  /// When the CRTC was last seen to show the front buffer, if no submit() has relied on that.
  std::optional<std::chrono::steady_clock::time_point> seen_at_;
};

/// Whether the card's node is gone. Drivers that do not mark their card as unplugged say anything but ENODEV
/// of one that is (qxl: EINVAL).
[[nodiscard]] bool is_unplugged(const DrmDevice& device);

}  // namespace drmclient
