#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "drmclient/card.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/output/clone_group.h"

namespace fbemu {

/// Arbitrates a screen between the framebuffer, the kernel's console and other programs: enables the outputs
/// while a writer's VT is active, and releases them as ArbiterOptions says. Used by the presenter's thread
/// alone.
///
/// The states, and the conditions on which update() changes them (the first that holds; "VT lost": another VT
/// is active):
///
///  idle             writers on the active VT -> shown; writers elsewhere -> behind_other_vt
///  shown            VT lost -> behind_other_vt
///                   no writers: outputs disabled -> idle; VT lost -> kept_behind or idle;
///                   picture is to stay -> kept; else -> close_grace
///  behind_other_vt  VT active again -> shown; no writers -> idle
///  close_grace      as shown without writers; at its end: watched -> watching_vt, else -> idle (released)
///  watching_vt      VT lost -> kept_behind or idle; VT used -> idle (released)
///  kept             VT lost -> kept_behind; picture is no longer to stay -> close_grace
///  kept_behind      VT active again -> kept
///
/// A writer leads from every state to shown or behind_other_vt. A VT is lost to the program on the other VT:
/// the outputs are then released at once.
class ConsoleArbiter {
 public:
  using Time = base::Clock::Time;

  enum class State {
    idle,             ///< nothing is to be shown
    shown,            ///< writers are on the active VT; the outputs are enabled, or tried again
    behind_other_vt,  ///< there are writers, but another VT is active
    close_grace,      ///< the last writer closed the framebuffer a moment ago
    watching_vt,      ///< the picture stays until something is written on its VT
    kept,             ///< the picture stays as long as its VT is active
    kept_behind,      ///< as kept, while another VT is active
  };

  /// All of them must outlive it.
  ConsoleArbiter(CloneGroup& outputs, const drmclient::Card& card, const ArbiterOptions& options,
                 const base::Clock& clock = base::monotonic_clock());

  [[nodiscard]] State state() const { return state_; }

  /// The descriptor of the VTs, readable (poll(2)) when read_vts() is to be called; -1 without any.
  [[nodiscard]] int descriptor() const;
  void read_vts();
  /// Returns true if set_writers() is to be called though the writers are the same: another VT is active, or
  /// the VTs of some programs are not known yet.
  [[nodiscard]] bool wants_writers() const;

  /// Sets the programs that have the framebuffer open for writing. Looks up which of them are on the active
  /// VT, within a budget that fits between two frames.
  void set_writers(const Writers& writers);
  /// Returns true if a writer is on the active VT, or if there are no VTs. Without writers: true if the VT is
  /// active on which the last writer was.
  [[nodiscard]] bool is_on_active_vt() const { return on_active_vt_; }

  /// Enables or releases the outputs, as things are now. `vblank` is true if a frame has passed since the
  /// last call.
  void update(bool vblank, bool has_writers);
  /// Returns the time at which update() or set_writers() is to be called if nothing else happens.
  [[nodiscard]] std::optional<Time> update_at() const;
  /// Delays the next attempt to enable the outputs, because the card refused a frame.
  void present_failed();

 private:
  void look_for_writers(WritingPrograms& programs, unsigned active);
  void show(bool vblank);
  void update_without_writers();
  void start_grace_or_keep();
  void end_grace();
  void lose_vt();
  void enter(State state);
  [[nodiscard]] bool is_to_be_watched() const;
  [[nodiscard]] bool keeps_picture() const;
  void yield_to_active_vt();

  CloneGroup& outputs_;
  const drmclient::Card& card_;
  OnClose on_close_;
  drmclient::VirtualTerminals* vts_;
  const base::Clock& clock_;

  State state_ = State::idle;
  std::optional<Time> grace_end_;  ///< in close_grace
  bool vt_used_ = false;           ///< since watching_vt was entered
  unsigned ticks_to_retry_ = 0;    ///< until the next attempt to enable the outputs

  bool has_writers_ = false;
  bool on_active_vt_ = true;
  std::optional<unsigned> shown_on_;  ///< the VT of the last writer
  bool wrote_only_ = false;           ///< as in Writers
  bool vt_switched_ = false;
  bool vts_unknown_ = false;  ///< of some programs
  unsigned look_budget_ = 0;  ///< until refill_at_
  Time refill_at_;
};

}  // namespace fbemu
