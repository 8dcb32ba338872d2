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

/// The pipe of an enabled KmsOutput and the buffer that it shows. The buffer outlives this object and keeps
/// the device open. DRM master is held for the duration of a call to the driver, and never while waiting for
/// a frame.
class EnabledPipe {
 public:
  /// Properties of the card, shared by its pipes.
  struct CardQuirks {
    bool dirty_unneeded = false;  ///< DIRTYFB returned ENOSYS
  };
  /// Saves the current state of the CRTC for restore(). `quirks` and `clock` must outlive this object. Throws
  /// std::system_error.
  EnabledPipe(KmsPipe pipe, const DrmDevice& device, CardQuirks& quirks, const base::Clock& clock);

  /// Returns the objects of the pipe.
  [[nodiscard]] const KmsPipe& pipe() const { return pipe_; }
  /// Returns the KMS interface in use.
  [[nodiscard]] const KmsInterface& commit() const { return *commit_; }
  /// Returns the vblanks of the pipe.
  [[nodiscard]] VblankSource& vblank() { return vblank_; }
  /// Returns the vblanks, read-only.
  [[nodiscard]] const VblankSource& vblank() const { return vblank_; }
  /// Returns the last mode.
  [[nodiscard]] const Mode& mode() const { return mode_; }
  /// Returns the buffer on the screen; null before the first set_mode().
  [[nodiscard]] DumbBuffer* front() const { return front_; }
  /// Returns the position in front() from which it is shown.
  [[nodiscard]] Point origin() const { return origin_; }
  /// Returns the last power level.
  [[nodiscard]] Power power() const { return power_; }

  /// Does what Output::set_mode() does.
  [[nodiscard]] base::Result<void> set_mode(const Mode& mode, DumbBuffer& buffer, Point origin);
  /// Submits a frame, the first part of Card::present(); `damage` is clamped. Returns true if a flip event
  /// with the connector's id follows. Wait for it, then call presented().
  [[nodiscard]] base::Result<bool> submit(DumbBuffer& buffer, Point origin, std::span<const Rect> damage);
  /// Notes that the frame of submit(), if there was one, is on the screen.
  void presented();
  /// Returns true if the CRTC shows the front buffer. Costs one ioctl; submit() in the same frame reuses a
  /// true result. Errors: ENODEV if the card was unplugged.
  [[nodiscard]] base::Result<bool> scans_out_front();
  /// Returns the framebuffer that the CRTC shows now; 0 if it is off or unknown.
  [[nodiscard]] uint32_t framebuffer_shown() const;
  /// Returns the framebuffer that the CRTC showed before this pipe was enabled; 0 if it was off.
  [[nodiscard]] uint32_t previous_framebuffer() const {
    return saved_crtc_ ? saved_crtc_->framebuffer_id() : 0;
  }
  /// Restores the framebuffer that the CRTC showed before, if it still exists. Has no effect while another
  /// process is DRM master. If the CRTC still shows front(), waits for that process for at most 0.1 s: it may
  /// be a client of another output, with which the kernel does not restore its console when this card closes.
  void restore() const;
  /// Does what Output::set_power() does.
  [[nodiscard]] base::Result<void> set_power(Power power);
  /// Does what Output::set_gamma() does.
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
  std::optional<SavedCrtc> saved_crtc_;
  std::unique_ptr<KmsInterface> commit_;
  VblankSource vblank_;
  CardQuirks& quirks_;
  const base::Clock& clock_;
  Mode mode_;
  DumbBuffer* front_ = nullptr;
  Point origin_;
  Power power_ = Power::on;
  /// Start of a submit() that is not yet presented.
  std::optional<std::chrono::steady_clock::time_point> submitted_;
  /// Time at which the CRTC was last seen to show the front buffer; nothing after submit() has used it.
  std::optional<std::chrono::steady_clock::time_point> seen_at_;
};

/// Returns true if the card's node does not exist any more. Some drivers do not mark their card as unplugged
/// and return other errors than ENODEV (qxl: EINVAL).
[[nodiscard]] bool is_unplugged(const DrmDevice& device);

}  // namespace drmclient
