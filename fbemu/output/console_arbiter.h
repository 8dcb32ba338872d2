#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "drmclient/card.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/output/clone_group.h"

namespace fbemu {

/// Who is to be seen on a screen that is shared with the kernel's console and with other programs: enables a
/// display while a writer's terminal is in front, and gives it back as ArbiterOptions says. Used by the
/// presenter's thread alone.
class ConsoleArbiter {
 public:
  using Time = base::Clock::Time;

  /// All of them must outlive it.
  ConsoleArbiter(CloneGroup& outputs, const drmclient::Card& card, const ArbiterOptions& options,
                 const base::Clock& clock = base::monotonic_clock());

  /// The descriptor of the terminals, readable (poll(2)) when read_terminals() is to be called; -1 without
  /// any.
  [[nodiscard]] int descriptor() const;
  void read_terminals();
  /// Returns whether set_writers() is to be called though the writers are the same: another terminal came to
  /// the front, or programs are left to be asked for theirs.
  [[nodiscard]] bool wants_writers() const;

  /// These programs have the framebuffer open for writing. Asks the system which of them are on the terminal
  /// in front, but no more at a time than the thread can do between two frames.
  void set_writers(const Writers& writers);
  /// Whether a writer's terminal is in front; true without terminals. Without writers: whether the terminal
  /// is in front on which the last one was seen.
  [[nodiscard]] bool is_on_active_vt() const { return on_active_vt_; }

  /// Enables the display or gives it back, as things are now. `vblank`: a frame has passed since the last
  /// call.
  void update(bool vblank, bool has_writers);
  /// When update() or set_writers() has something to do that nothing else tells of; nothing where neither
  /// has.
  [[nodiscard]] std::optional<Time> update_at() const;
  /// The card refused a picture: a display that is not enabled is left alone for a while.
  void present_failed();

 private:
  void look_for_writers(WritingPrograms& programs, unsigned front);
  void enable_for_writers(bool vblank);
  void keep_or_release();
  void keep_behind();
  [[nodiscard]] bool is_to_be_watched() const;
  [[nodiscard]] bool keeps_picture() const;
  void yield_to_active_vt();
  void stop_watching();

  CloneGroup& outputs_;
  const drmclient::Card& card_;
  OnClose on_close_;
  drmclient::VirtualTerminals* terminals_;
  const base::Clock& clock_;

  bool has_writers_ = false;
  bool on_active_vt_ = true;
  std::optional<unsigned> shown_on_;  ///< the terminal on which the last writer was seen
  bool wrote_only_ = false;           ///< as Writers has it
  bool terminal_switched_ = false;
  bool programs_left_ = false;  ///< which were not asked yet
  unsigned look_budget_ = 0;    ///< until refill_at_
  Time refill_at_;
  bool kept_ = false;      ///< the picture is to be seen without writers
  bool watching_ = false;  ///< the terminal's use is the end of the picture
  bool terminal_used_ = false;
  bool may_release_ = false;        ///< since the display was enabled, or since a writer came
  std::optional<Time> release_at_;  ///< without writers
  unsigned ticks_to_retry_ = 0;     ///< until the next attempt to enable the display
};

}  // namespace fbemu
