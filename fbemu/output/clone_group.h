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
/// The *leading* output is the one that programs know: its modes are theirs, and a mode that it refuses is
/// refused. The others follow as well as they can, each in the mode of the same size or in the one that it
/// likes best, and never make a call fail. Where the leading output's cable is pulled while another is
/// connected, its CRTC is free for that one. Frames are counted by the first output that is lit.
class Display {
 public:
  /// Of one output, for people to read.
  struct OutputStatus {
    std::string name;
    bool connected = false;
    bool lit = false;
    bool covered = false;   ///< another DRM master shows something else there
    drmclient::Mode mode;   ///< where it is lit
    std::error_code error;  ///< why the last attempt to change it failed
    friend bool operator==(const OutputStatus&, const OutputStatus&) = default;
  };

  /// All of them must outlive the display. `any_mode` is as for Screen.
  Display(drmclient::Card& card, drmclient::Output leading, Outputs outputs, const Shadow& shadow,
          Statistics& statistics, std::optional<drmclient::Mode> any_mode,
          const base::Clock& clock = base::monotonic_clock());
  ~Display() = default;
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  /// As Screen::set_pages().
  void set_pages(ProgramPages* pages);

  /// The one that programs know, connected or not.
  [[nodiscard]] const drmclient::Output& leading_output() const { return leading_.output(); }
  /// The screen that counts the frames, and that screenshots are taken of.
  [[nodiscard]] const Screen& pacing() const;
  [[nodiscard]] const Scene& scene() const { return pacing().scene(); }
  [[nodiscard]] drmclient::Power power() const { return pacing().power(); }
  /// The leading output and its card, for a person to read.
  [[nodiscard]] std::string name() const { return leading_.name(); }
  /// Brings `statuses` up to date: the leading output, and where the others show the framebuffer, those that
  /// are connected.
  void describe(std::vector<OutputStatus>& statuses) const;

  [[nodiscard]] bool is_lit() const;
  /// Whether all lit outputs show what another DRM master put there.
  [[nodiscard]] bool is_covered() const { return pacing().is_covered(); }
  /// Whether there is an output that should be lit and is not.
  [[nodiscard]] bool wants_light() const;
  [[nodiscard]] bool waits_for_screen() const;
  [[nodiscard]] bool has_work() const;

  /// Of the leading output: as Screen::check().
  [[nodiscard]] base::Result<void> check(const Scene& wanted) { return leading_.check(wanted); }
  /// Lights all with `wanted`. Errors: those of the leading output; then nothing is lit.
  base::Result<void> light(const Scene& wanted);
  /// Shows this scene once the outputs are lit.
  void set_scene(const Scene& wanted);
  /// Lights those that should be lit and are not.
  void light_missing();
  /// Sets the modes of those that are lit once more.
  void light_once_more();
  /// As Screen::apply(), for all; the error is that of the leading output, or of the first that shows the
  /// picture in its place.
  int apply(const Scene& wanted);
  void give_back();
  /// As Screen::leave(), for all.
  void leave();
  void set_power(drmclient::Power power);
  /// Looks at the outputs anew; those that were plugged in or have other modes are lit if any is.
  void handle_hotplug();

  /// Has each output's picture uploaded as a whole the next time.
  void mark_stale() noexcept;
  void look_for_other_masters();
  /// Uploads `damage` to each output, or everything as programs see it now: on all of them where `live`, and
  /// where an output's picture is stale.
  void upload(const DamageLog::Damage& damage, bool live);
  /// As Screen::present(), for all at once.
  bool present();

 private:
  struct Follower {
    std::unique_ptr<Screen> screen;
    bool refused = false;  ///< it cannot be lit as things are: no CRTC is left, or no memory
  };

  /// Without a monitor on the leading output the others show the picture alone.
  [[nodiscard]] bool leading_is_wanted() const;
  void list_screens();
  void drop_followers(const std::vector<drmclient::Output>& outputs);
  void add_followers(const std::vector<drmclient::Output>& outputs);
  [[nodiscard]] bool any_follower_lit() const;
  void light_followers();
  void light_follower(Follower& follower);
  void take_over_from_leading();
  void forgive_refusals();

  drmclient::Card& card_;
  Outputs outputs_;
  const Shadow& shadow_;
  Statistics& statistics_;
  const base::Clock& clock_;
  ProgramPages* pages_ = nullptr;
  Screen leading_;
  std::vector<Follower> followers_;
  std::vector<Screen*> screens_;  ///< the leading one, then those of the followers
  Scene wanted_;
};

}  // namespace fbemu
