#pragma once

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/clock.h"
#include "drmclient/card.h"
#include "fbemu/damage/backing_store.h"
#include "fbemu/damage/damage_log.h"
#include "fbemu/frontend/program_pages.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/output/output_presenter.h"
#include "fbemu/output/statistics.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// The outputs of a card that show a framebuffer: the primary output and, if all outputs are used, its
/// clones. Used by the presenter's thread alone.
///
/// Programs use the modes of the primary output, and a mode that it refuses is refused. A clone uses the mode
/// of the same size or its preferred mode, and never makes a call fail. If the primary output is disconnected
/// while a clone is connected, its CRTC is released for the clone. The first enabled output paces the frames.
class CloneGroup {
 public:
  /// The status of one output, for reports.
  struct OutputStatus {
    std::string name;
    bool connected = false;
    bool enabled = false;
    bool preempted = false;  ///< another DRM master's framebuffer is scanned out
    drmclient::Mode mode;    ///< of an enabled output
    std::error_code error;   ///< of the last attempt to change it
    friend bool operator==(const OutputStatus&, const OutputStatus&) = default;
  };

  /// All of them must outlive the group. `follow_monitor_mode` is that of OutputPresenter.
  CloneGroup(drmclient::Card& card, drmclient::Output& primary, Outputs outputs,
             const BackingStore& backing_store, Statistics& statistics,
             std::optional<drmclient::Mode> follow_monitor_mode,
             const base::Clock& clock = base::monotonic_clock());
  ~CloneGroup() = default;
  CloneGroup(const CloneGroup&) = delete;
  CloneGroup& operator=(const CloneGroup&) = delete;

  /// Sets the source of live pixels, as OutputPresenter::set_pages() does.
  void set_pages(ProgramPages* pages);

  /// Returns the properties of the primary output, connected or not, as of the last handle_hotplug().
  [[nodiscard]] const drmclient::OutputInfo& primary_info() const { return primary_.info(); }
  /// Returns the presenter that paces the frames; screenshots show its output.
  [[nodiscard]] const OutputPresenter& pacing() const;
  [[nodiscard]] const FramebufferState& fb_state() const { return pacing().fb_state(); }
  [[nodiscard]] drmclient::Power power() const { return pacing().power(); }
  /// Returns a name of the primary output and its card for messages.
  [[nodiscard]] std::string name() const { return primary_.name(); }
  /// Updates `statuses`: the primary output first, then the clones.
  void describe(std::vector<OutputStatus>& statuses) const;

  [[nodiscard]] bool is_enabled() const;
  /// Returns true if another DRM master's framebuffer is scanned out on the enabled outputs.
  [[nodiscard]] bool is_preempted() const { return pacing().is_preempted(); }
  /// Returns true if an output should be enabled and is not.
  [[nodiscard]] bool needs_enable() const;
  [[nodiscard]] bool waits_for_screen() const;
  [[nodiscard]] bool has_work() const;

  /// Checks the primary output, as OutputPresenter::check() does.
  [[nodiscard]] base::Result<void> check(const FramebufferState& wanted) { return primary_.check(wanted); }
  /// Enables all outputs with `wanted`. Errors: those of the primary output; no output is enabled then.
  base::Result<void> enable(const FramebufferState& wanted);
  /// Sets the state to show once the outputs are enabled.
  void set_fb_state(const FramebufferState& wanted);
  /// Enables the outputs that should be enabled and are not.
  void enable_missing();
  /// Sets the modes of the enabled outputs again.
  void enable_once_more();
  /// Applies a state to all outputs, as OutputPresenter::apply() does. Errors: those of the primary output,
  /// or of the clone that replaces it.
  base::Result<void> apply(const FramebufferState& wanted);
  void release();
  /// Releases all outputs, as OutputPresenter::release_without_restore() does.
  void release_without_restore();
  void set_power(drmclient::Power power);
  /// Probes the outputs. If any output is enabled, those that were plugged in or have other modes are enabled
  /// too.
  void handle_hotplug();

  /// Marks each output's picture to be uploaded whole at the next upload.
  void mark_stale() noexcept;
  void check_preemption();
  /// Uploads `damage` to each output; or the live pixels of the whole view, if `live` is true or the output
  /// is stale.
  void upload(const DamageLog::Damage& damage, bool live);
  /// Presents the outputs' frames at once. Returns false if a card was unplugged.
  bool present();

 private:
  /// Returns false if the clones show the picture alone, because the primary output has no monitor.
  [[nodiscard]] bool primary_is_wanted() const;
  void list_presenters();
  void drop_clones();
  void add_clones(const std::vector<drmclient::Output*>& outputs);
  [[nodiscard]] bool any_clone_enabled() const;
  void enable_clones();
  void enable_clone(OutputPresenter& clone);
  void take_over_from_primary();
  void retry_clones();

  drmclient::Card& card_;
  Outputs outputs_;
  const BackingStore& backing_store_;
  Statistics& statistics_;
  const base::Clock& clock_;
  ProgramPages* pages_ = nullptr;
  OutputPresenter primary_;
  std::vector<std::unique_ptr<OutputPresenter>> clones_;
  std::vector<OutputPresenter*> presenters_;  ///< the primary one, then the clones
  FramebufferState wanted_;
};

}  // namespace fbemu
