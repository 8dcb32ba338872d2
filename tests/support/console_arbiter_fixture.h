#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "fbemu/output/clone_group.h"
#include "fbemu/output/console_arbiter.h"
#include "tests/support/fake_virtual_terminals.h"
#include "tests/support/manual_clock.h"
#include "tests/support/stepped_card.h"

namespace unit {

inline constexpr std::chrono::milliseconds grace{300};
inline constexpr std::chrono::milliseconds prompt_grace{1000};

/// A ConsoleArbiter without presenter and threads, on a card that is shared with the kernel's console. The
/// clock stands still until a test advances it. VT 1 is active.
class ConsoleArbiterFixture : public testing::Test {
 protected:
  void begin() {
    options.vts = &terminals;
    begin_without_vts();
  }
  void begin_without_vts() {
    card.share();
    fbemu::FramebufferState fb_state;
    fb_state.mode = drmclient::make_mode({64, 48});
    fb_state.size = {64, 48};
    fb_state.layout.virtual_size = fb_state.size;
    fb_state.layout.pitch_bytes = 64 * 4;
    backing_store.emplace(uint64_t{fb_state.layout.pitch_bytes} * 48);
    group.emplace(card, *card.probe()->front(), fbemu::Outputs::one, *backing_store, statistics,
                  std::nullopt);
    group->set_fb_state(fb_state);
    arbiter.emplace(*group, card, options, clock);
  }

  /// Does what the presenter does at a frame.
  void frame() {
    look_at_writers();
    arbiter->update(true, writers.count > 0);
  }
  /// Does what the presenter does when something else wakes it.
  void wake() {
    look_at_writers();
    arbiter->update(false, writers.count > 0);
  }
  void look_at_writers() {
    if (arbiter->wants_writers()) arbiter->set_writers(writers);
  }
  void set_writers(fbemu::Writers now) {
    writers = std::move(now);
    arbiter->set_writers(writers);
    wake();
  }
  void open(unsigned vt = 1) { set_writers(writers_of({std::make_shared<OnTerminal>(vt)})); }
  void close(bool wrote_only = false) { set_writers({0, nullptr, wrote_only}); }
  void switch_to(unsigned vt) {
    terminals.change_to(vt);
    arbiter->read_vts();
    wake();
  }
  void write_on_vt() {
    terminals.write_on();
    arbiter->read_vts();
    wake();
  }
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    wake();
  }
  [[nodiscard]] bool enabled() const { return group->is_enabled(); }

  SteppedCard card{drmclient::HeadlessOptions{.size = {64, 48}}, SteppedCard::Vblanks::stepped};
  FakeVirtualTerminals terminals{1};
  ManualClock clock;
  fbemu::ArbiterOptions options;
  fbemu::Statistics statistics;
  std::optional<fbemu::BackingStore> backing_store;
  std::optional<fbemu::CloneGroup> group;
  std::optional<fbemu::ConsoleArbiter> arbiter;
  fbemu::Writers writers;
};

}  // namespace unit
