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

/// One output of a card and the state that it shows: its mode, its buffers, and what is not yet on it.
/// Used by the presenter's thread alone.
///
/// A changed part is copied to the buffer on the screen. A changed state (panning, a new palette) is made
/// in a second buffer, and the output flips to it, so that nobody sees half of it.
class OutputPresenter {
 public:
  /// Whether programs choose from this output's modes.
  enum class Role { primary, clone };

  /// All of them must outlive the screen.
  /// `follow_monitor_mode` is the mode of states for which nobody asked for one: a monitor that is plugged
  /// in later shows them in the mode that it likes best.
  OutputPresenter(drmclient::Card& card, drmclient::Output output, const BackingStore& backing_store,
                  Statistics& statistics, std::optional<drmclient::Mode> follow_monitor_mode = std::nullopt,
                  Role role = Role::primary, const base::Clock& clock = base::monotonic_clock());

  /// Where live pixels are read; null: what is in the shadow is all there is.
  void set_pages(ProgramPages* pages) { pages_ = pages; }

  [[nodiscard]] const drmclient::Output& output() const { return output_; }
  /// As it is shown: in a mode that the output has.
  [[nodiscard]] const FramebufferState& fb_state() const { return fb_state_; }
  /// Shows this state once the output is enabled.
  void set_fb_state(const FramebufferState& fb_state) { take_over(fb_state); }
  [[nodiscard]] OutputState state() const { return state_; }
  /// Returns true if a mode is set, whoever's framebuffer the CRTC scans out.
  [[nodiscard]] bool is_enabled() const {
    return state_ == OutputState::enabled || state_ == OutputState::preempted;
  }
  [[nodiscard]] bool is_visible() const { return is_enabled() && power_ == drmclient::Power::on; }
  [[nodiscard]] drmclient::Power power() const { return power_; }
  /// The scan-out format of the last buffer.
  [[nodiscard]] drmclient::PixelFormat format() const { return format_; }
  /// Returns why the last attempt to change the screen failed, or else why an enabled output shows what was
  /// last delivered in place of the live pixels.
  [[nodiscard]] std::error_code error() const {
    const std::error_code update = update_error_.error();
    return update || !is_enabled() ? update : pages_error_.error();
  }
  /// The card and the output, for a person to read.
  [[nodiscard]] std::string name() const;

  /// Whether the output could be enabled with `wanted`, as far as the driver can be asked now. Errors: the
  /// driver's.
  [[nodiscard]] base::Result<void> check(const FramebufferState& wanted);
  /// Makes a buffer for the mode of `wanted`, fills it and enables the output with it. On an error all is as
  /// before; where another process has the screen, the buffer is kept, and with it the card's node open, so
  /// that it costs little to try again.
  base::Result<void> enable(const FramebufferState& wanted);
  /// As enable() with the present state, with the power level that was last asked for, and told to the
  /// log.
  bool enable_again();
  /// Whether another process has the screen that this one would have: worth another try at each vblank.
  [[nodiscard]] bool waits_for_screen() const {
    return state_ == OutputState::preempted || state_ == OutputState::waiting_for_master;
  }
  /// Takes a state over. Returns 0, or the errno with which its mode was refused; then the state before
  /// stays. While another process has the screen, the mode is set when that one has left it.
  int apply(const FramebufferState& wanted);
  /// Lets the output go; where it is enabled the kernel's console comes back, or it is dark. Forgets a buffer
  /// that waits for the screen, too.
  void release();
  /// As release(), for a program that is about to take the output: Card::release_without_restore().
  void release_without_restore();
  void set_power(drmclient::Power power);
  /// Takes over how the output is now, from all of the card's. True where it has to be enabled again: it was
  /// plugged in, or has other modes.
  bool take_output(const std::vector<drmclient::Output>& outputs);

  /// All of it has to be uploaded again.
  void mark_stale() { stale_ = true; }
  [[nodiscard]] bool is_stale() const { return stale_; }
  /// Whether something waits for a present() that may succeed.
  [[nodiscard]] bool has_work() const {
    return is_preempted() || (is_visible() && (stale_ || !unpresented_.empty()));
  }
  /// Uploads what lies in these bytes of the backing store.
  void upload_damage(const std::vector<ByteRange>& ranges);
  /// Uploads all, as programs see it now. Live pixels that cannot be read leave the screen stale, with what
  /// was last delivered.
  void upload_all();
  /// What the driver has to be told of what was uploaded, if anything; good until the next call. presented()
  /// follows.
  [[nodiscard]] std::optional<drmclient::Frame> next_frame();
  /// What became of it. False where the card is gone: then the output is no longer enabled.
  bool presented(const base::Result<void>& result);
  /// Another DRM master may have come, or gone: then everything is to be uploaded again. Until it has gone,
  /// nothing is.
  void check_preemption();
  [[nodiscard]] bool is_preempted() const { return state_ == OutputState::preempted; }
  /// Releases the output and leaves it failed: enabling it is not worth an attempt before retry().
  void exclude();
  /// Makes a failed output disabled again, because the reason may no longer hold.
  void retry();

  /// Logs a cause once, not at each vblank; that another process has the screen only where it keeps it (two
  /// clients that take turns meet now and then).
  void report(std::error_code error);

 private:
  struct Buffer {
    std::unique_ptr<drmclient::ScanoutBuffer> memory;
    ViewTransform border;  ///< it is black around this; nothing: it has not been cleared yet
  };

  base::Result<void> enable_with(FramebufferState fb_state, drmclient::PixelFormat format);
  [[nodiscard]] FramebufferState fitted(const FramebufferState& wanted) const;
  void take_over(const FramebufferState& wanted);
  void handle(OutputEvent event) { state_ = next_state(state_, event); }
  void handle_failure(const std::error_code& error);
  void drop_buffers();
  base::Result<void> change_mode(const FramebufferState& wanted);
  /// Returns false if the live pixels could not be read, so that the buffer has what was last delivered.
  base::Result<bool> upload_all_to(Buffer& buffer, const FramebufferState& fb_state);
  void report_pages(std::error_code outcome);
  /// The buffer for a whole picture: the spare one where the output is to flip.
  [[nodiscard]] Buffer& buffer_for_all();

  drmclient::Card& card_;
  drmclient::Output output_;
  const BackingStore& backing_store_;
  Statistics& statistics_;
  const base::Clock& clock_;
  ProgramPages* pages_ = nullptr;
  Uploader uploader_;

  std::vector<drmclient::Mode> monitor_modes_;  ///< of the last monitor that was connected
  std::optional<drmclient::Mode> follow_monitor_mode_;

  FramebufferState wanted_;  ///< as the program asked for it
  FramebufferState fb_state_;
  Role role_;
  bool other_monitor_;  ///< the modes are not (no longer) those that programs choose from
  OutputState state_ = OutputState::disabled;
  Buffer front_;  ///< none until the output is enabled
  Buffer spare_;  ///< made when first needed
  drmclient::PixelFormat format_ = drmclient::PixelFormat::xrgb8888;
  drmclient::Power power_ = drmclient::Power::on;
  std::vector<drmclient::Rect> presenting_;  ///< of the last next_frame()
  Region unpresented_;  ///< uploaded or to be uploaded, but refused by the card so far; scan-out coordinates
  bool stale_ = false;
  bool flips_ = false;  ///< the next whole picture comes in the spare buffer
  /// Programs can bring about a failure whenever they want.
  static constexpr ReportedError::Duration quiet{10'000};
  ReportedError update_error_;        ///< of enabling, uploading and presenting
  ReportedError pages_error_{quiet};  ///< of reading live pixels
  ReportedError power_error_{quiet};
  ReportedError mode_error_{quiet};
};

}  // namespace fbemu
