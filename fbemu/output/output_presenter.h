#pragma once

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/clock.h"
#include "drmclient/card.h"
#include "fbemu/damage/backing_store.h"
#include "fbemu/damage/byte_range.h"
#include "fbemu/damage/region.h"
#include "fbemu/frontend/program_pages.h"
#include "fbemu/output/output_state.h"
#include "fbemu/output/reported_error.h"
#include "fbemu/output/statistics.h"
#include "fbemu/pixels/framebuffer_state.h"
#include "fbemu/pixels/uploader.h"

namespace fbemu {

/// One output of a card with the framebuffer state that it shows: mode, scan-out buffers, and the damage that
/// is not presented yet. Used by the presenter's thread alone.
///
/// Damage is uploaded to the front buffer. A changed state (panning, a new palette) is drawn in a second
/// buffer, to which the output flips, so that it appears at once.
class OutputPresenter {
 public:
  /// The role in a CloneGroup: programs use the modes of the primary output.
  enum class Role { primary, clone };

  /// All of them must outlive this object. A state with the mode `follow_monitor_mode` is shown in the
  /// preferred mode of a monitor that is plugged in later.
  OutputPresenter(drmclient::Card& card, drmclient::Output& output, const BackingStore& backing_store,
                  Statistics& statistics, std::optional<drmclient::Mode> follow_monitor_mode = std::nullopt,
                  Role role = Role::primary, const base::Clock& clock = base::monotonic_clock());

  /// Sets the source of live pixels; null if all pixels are in the backing store.
  void set_pages(ProgramPages* pages) { pages_ = pages; }

  [[nodiscard]] drmclient::Output& output() const { return output_; }
  /// Returns the properties of the output as of the last update_info().
  [[nodiscard]] const drmclient::OutputInfo& info() const { return info_; }
  /// Returns the state as it is shown, in a mode of this output.
  [[nodiscard]] const FramebufferState& fb_state() const { return fb_state_; }
  /// Sets the state to show once the output is enabled.
  void set_fb_state(const FramebufferState& fb_state) { take_over(fb_state); }
  [[nodiscard]] OutputState state() const { return state_; }
  /// Returns true if a mode is set, whoever's framebuffer the CRTC scans out.
  [[nodiscard]] bool is_enabled() const {
    return state_ == OutputState::enabled || state_ == OutputState::preempted;
  }
  [[nodiscard]] bool is_visible() const { return is_enabled() && power_ == drmclient::Power::on; }
  [[nodiscard]] drmclient::Power power() const { return power_; }
  /// Returns the format of the last scan-out buffer.
  [[nodiscard]] drmclient::PixelFormat format() const { return format_; }
  /// Returns the error of the last attempt to change the output. If that succeeded, returns the error with
  /// which live pixels could not be read.
  [[nodiscard]] std::error_code error() const {
    const std::error_code update = update_error_.error();
    return update || !is_enabled() ? update : pages_error_.error();
  }
  /// Returns a name of the output and its card for messages.
  [[nodiscard]] std::string name() const;

  /// Checks whether the output could be enabled with `wanted`, as far as the driver can be asked now. Errors:
  /// those of the driver.
  [[nodiscard]] base::Result<void> check(const FramebufferState& wanted);
  /// Makes a buffer for the mode of `wanted`, fills it and sets the mode. On an error the output is
  /// unchanged. If another process is DRM master, the buffer is kept, and with it the card's node open, so
  /// that the next attempt is cheap.
  base::Result<void> enable(const FramebufferState& wanted);
  /// Enables the output with the current state and power level, and logs a failure.
  bool enable_again();
  /// Returns true if another process is DRM master; enabling the output is then tried at each vblank.
  [[nodiscard]] bool waits_for_screen() const {
    return state_ == OutputState::preempted || state_ == OutputState::waiting_for_master;
  }
  /// Applies a state. While another process is DRM master, the mode is set after that process released it.
  /// Errors: those with which its mode was refused; the state before stays then.
  base::Result<void> apply(const FramebufferState& wanted);
  /// Releases the output and its buffers. The kernel's console returns to an enabled output; without a
  /// console it turns dark.
  void release();
  /// Releases the output to a program that is about to become DRM master: Output::release_without_restore().
  void release_without_restore();
  void set_power(drmclient::Power power);
  /// Takes the properties of the output after a Card::probe(). Returns true if it was plugged in or has other
  /// modes, so that it must be enabled again.
  bool update_info();

  /// Marks the whole view to be uploaded again.
  void mark_stale() { stale_ = true; }
  [[nodiscard]] bool is_stale() const { return stale_; }
  /// Returns true if a vblank may bring progress: something is to be presented, or the output is preempted.
  [[nodiscard]] bool has_work() const {
    return is_preempted() || (is_visible() && (stale_ || !unpresented_.empty()));
  }
  /// Uploads the pixels in these bytes of the backing store.
  void upload_damage(const std::vector<ByteRange>& ranges);
  /// Uploads the live pixels of the whole view. If they cannot be read, uploads the backing store and leaves
  /// the output stale.
  void upload_all();
  /// Returns the frame to present, if any; valid until the next call. presented() must follow.
  [[nodiscard]] std::optional<drmclient::Frame> next_frame();
  /// Takes the result of the frame. Returns false if the card was unplugged; the output is not enabled then.
  bool presented(const base::Result<void>& result);
  /// Checks whether another DRM master's framebuffer is scanned out. While it is, nothing is uploaded; after
  /// it, everything.
  void check_preemption();
  [[nodiscard]] bool is_preempted() const { return state_ == OutputState::preempted; }
  /// Releases the output and leaves it failed: enabling it is not worth an attempt before retry().
  void exclude();
  /// Makes a failed output disabled again, because the reason may no longer hold.
  void retry();

  /// Logs an error once, not at each vblank. A conflict of DRM masters is logged only if it lasts, because
  /// two clients that take turns meet now and then.
  void report(std::error_code error);

 private:
  struct Buffer {
    std::unique_ptr<drmclient::ScanoutBuffer> memory;
    ViewTransform border;  ///< the border around this is black; empty if it was never cleared
  };

  base::Result<void> enable_with(FramebufferState fb_state, drmclient::PixelFormat format);
  [[nodiscard]] FramebufferState fitted(const FramebufferState& wanted) const;
  void take_over(const FramebufferState& wanted);
  void handle(OutputEvent event) { state_ = next_state(state_, event); }
  void handle_failure(const std::error_code& error);
  void drop_buffers();
  base::Result<void> change_mode(const FramebufferState& wanted);
  /// Returns false if the live pixels could not be read, so that the buffer has the backing store's.
  base::Result<bool> upload_all_to(Buffer& buffer, const FramebufferState& fb_state);
  void report_pages(std::error_code outcome);
  /// Returns the buffer for a whole view: the spare one if the output is to flip.
  [[nodiscard]] Buffer& buffer_for_all();

  drmclient::Card& card_;
  drmclient::Output& output_;
  drmclient::OutputInfo info_;
  const BackingStore& backing_store_;
  Statistics& statistics_;
  const base::Clock& clock_;
  ProgramPages* pages_ = nullptr;
  Uploader uploader_;

  std::vector<drmclient::Mode> monitor_modes_;  ///< of the last connected monitor
  std::optional<drmclient::Mode> follow_monitor_mode_;

  FramebufferState wanted_;  ///< as the program requested it
  FramebufferState fb_state_;
  Role role_;
  bool other_monitor_;  ///< programs use the modes of another monitor
  OutputState state_ = OutputState::disabled;
  Buffer front_;  ///< empty until the output is enabled or waits for DRM master
  Buffer spare_;  ///< made on first use
  drmclient::PixelFormat format_ = drmclient::PixelFormat::xrgb8888;
  drmclient::Power power_ = drmclient::Power::on;
  std::vector<drmclient::Rect> presenting_;  ///< damage of the last next_frame()
  Region unpresented_;                       ///< uploaded, but not presented; scan-out coordinates
  bool stale_ = false;
  bool flips_ = false;  ///< the next whole view goes to the spare buffer
  /// Programs can cause a failure at any time, so such failures are logged at this interval.
  static constexpr ReportedError::Duration quiet{10'000};
  ReportedError update_error_;        ///< of enabling, uploading and presenting
  ReportedError pages_error_{quiet};  ///< of reading live pixels
  ReportedError power_error_{quiet};
  ReportedError mode_error_{quiet};
};

}  // namespace fbemu
