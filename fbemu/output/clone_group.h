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

/// What a framebuffer is shown on: an output of a card, and where it is shown on all of them, the others that
/// are connected. Used by the presenter's thread alone.
///
/// The *primary* output is the one that programs know: its modes are theirs, and a mode that it refuses is
/// refused. The others follow as well as they can, each in the mode of the same size or in the one that it
/// likes best, and never make a call fail. Where the primary output's cable is pulled while another is
/// connected, its CRTC is free for that one. Frames are counted by the first output that is enabled.
class CloneGroup {
 public:
  /// Of one output, for people to read.
  struct OutputStatus {
    std::string name;
    bool connected = false;
    bool enabled = false;
    bool preempted = false;  ///< another DRM master shows something else there
    drmclient::Mode mode;    ///< where it is enabled
    std::error_code error;   ///< why the last attempt to change it failed
    friend bool operator==(const OutputStatus&, const OutputStatus&) = default;
  };

  /// All of them must outlive the display. `follow_monitor_mode` is as for OutputPresenter.
  CloneGroup(drmclient::Card& card, drmclient::Output primary, Outputs outputs,
             const BackingStore& backing_store, Statistics& statistics,
             std::optional<drmclient::Mode> follow_monitor_mode,
             const base::Clock& clock = base::monotonic_clock());
  ~CloneGroup() = default;
  CloneGroup(const CloneGroup&) = delete;
  CloneGroup& operator=(const CloneGroup&) = delete;

  /// As OutputPresenter::set_pages().
  void set_pages(ProgramPages* pages);

  /// The one that programs know, connected or not.
  [[nodiscard]] const drmclient::Output& primary_output() const { return primary_.output(); }
  /// The screen that counts the frames, and that screenshots are taken of.
  [[nodiscard]] const OutputPresenter& pacing() const;
  [[nodiscard]] const FramebufferState& fb_state() const { return pacing().fb_state(); }
  [[nodiscard]] drmclient::Power power() const { return pacing().power(); }
  /// The primary output and its card, for a person to read.
  [[nodiscard]] std::string name() const { return primary_.name(); }
  /// Brings `statuses` up to date: the primary output, and where the others show the framebuffer, those that
  /// are connected.
  void describe(std::vector<OutputStatus>& statuses) const;

  [[nodiscard]] bool is_enabled() const;
  /// Whether all enabled outputs show what another DRM master put there.
  [[nodiscard]] bool is_preempted() const { return pacing().is_preempted(); }
  /// Whether there is an output that should be enabled and is not.
  [[nodiscard]] bool needs_enable() const;
  [[nodiscard]] bool waits_for_screen() const;
  [[nodiscard]] bool has_work() const;

  /// Of the primary output: as OutputPresenter::check().
  [[nodiscard]] base::Result<void> check(const FramebufferState& wanted) { return primary_.check(wanted); }
  /// Enables all with `wanted`. Errors: those of the primary output; then nothing is enabled.
  base::Result<void> enable(const FramebufferState& wanted);
  /// Shows this state once the outputs are enabled.
  void set_fb_state(const FramebufferState& wanted);
  /// Enables those that should be enabled and are not.
  void enable_missing();
  /// Sets the modes of those that are enabled once more.
  void enable_once_more();
  /// As OutputPresenter::apply(), for all; the error is that of the primary output, or of the first that
  /// shows the picture in its place.
  int apply(const FramebufferState& wanted);
  void release();
  /// As OutputPresenter::release_without_restore(), for all.
  void release_without_restore();
  void set_power(drmclient::Power power);
  /// Looks at the outputs anew; those that were plugged in or have other modes are enabled if any is.
  void handle_hotplug();

  /// Has each output's picture uploaded as a whole the next time.
  void mark_stale() noexcept;
  void check_preemption();
  /// Uploads `damage` to each output, or everything as programs see it now: on all of them where `live`, and
  /// where an output's picture is stale.
  void upload(const DamageLog::Damage& damage, bool live);
  /// As OutputPresenter::present(), for all at once.
  bool present();

 private:
  /// Without a monitor on the primary output the others show the picture alone.
  [[nodiscard]] bool primary_is_wanted() const;
  void list_presenters();
  void drop_clones(const std::vector<drmclient::Output>& outputs);
  void add_clones(const std::vector<drmclient::Output>& outputs);
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
  std::vector<OutputPresenter*> presenters_;  ///< the primary one, then those of the clones
  FramebufferState wanted_;
};

}  // namespace fbemu
