// The transitions of ConsoleArbiter::State, each from the state before it, without threads.

#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/console_arbiter_fixture.h"

namespace {

using fbemu::ConsoleArbiter;
using fbemu::OnClose;
using std::chrono::milliseconds;
using unit::grace;
using unit::prompt_grace;
using State = ConsoleArbiter::State;

class ConsoleArbiterStates : public unit::ConsoleArbiterFixture {
 protected:
  void expect(State state, bool is_enabled) {
    EXPECT_EQ(arbiter->state(), state);
    EXPECT_EQ(enabled(), is_enabled);
  }
  void begin_shown() {
    begin();
    open();
    expect(State::shown, true);
  }
  void begin_in_grace() {
    begin_shown();
    close();
    expect(State::close_grace, true);
  }
  void begin_watching() {
    begin_shown();
    close(true);
    pass(prompt_grace);
    expect(State::watching_vt, true);
  }
  void begin_kept() {
    options.on_close = OnClose::keep;
    begin_shown();
    close();
    expect(State::kept, true);
  }
  void begin_kept_behind() {
    begin_kept();
    switch_to(2);
    expect(State::kept_behind, false);
  }
};

TEST_F(ConsoleArbiterStates, IdleWithWriterOnActiveVtIsShown) {
  begin();
  frame();
  expect(State::idle, false);
  open();
  expect(State::shown, true);
}

TEST_F(ConsoleArbiterStates, IdleWithWriterOnOtherVtIsBehind) {
  begin();
  open(4);
  expect(State::behind_other_vt, false);
}

TEST_F(ConsoleArbiterStates, ShownWithVtLostIsBehindAndReturnsWithIt) {
  begin_shown();
  switch_to(2);
  expect(State::behind_other_vt, false);
  switch_to(1);
  expect(State::shown, true);
}

TEST_F(ConsoleArbiterStates, ShownWithoutWritersAndOutputsIsIdle) {
  begin();
  card.refuse_modes = EINVAL;
  open();
  expect(State::shown, false);
  close();
  expect(State::idle, false);
}

TEST_F(ConsoleArbiterStates, BehindWithoutWritersIsIdle) {
  begin();
  open(4);
  close();
  expect(State::idle, false);
  switch_to(4);
  expect(State::idle, false);
}

TEST_F(ConsoleArbiterStates, GraceEndsInIdle) {
  begin_in_grace();
  pass(grace - milliseconds(1));
  expect(State::close_grace, true);
  pass(milliseconds(1));
  expect(State::idle, false);
}

TEST_F(ConsoleArbiterStates, GraceWithWriterIsShown) {
  begin_in_grace();
  open();
  expect(State::shown, true);
}

TEST_F(ConsoleArbiterStates, GraceWithVtLostIsIdle) {
  begin_in_grace();
  switch_to(2);
  expect(State::idle, false);
}

TEST_F(ConsoleArbiterStates, GraceWithConsoleDetachedIsKept) {
  begin_in_grace();
  card.console = false;
  pass(grace);
  expect(State::kept, true);
}

TEST_F(ConsoleArbiterStates, GraceOfUnpluggedOutputIsIdle) {
  begin_in_grace();
  group->release();
  wake();
  expect(State::idle, false);
}

TEST_F(ConsoleArbiterStates, WatchedVtThatIsUsedEndsInIdle) {
  begin_watching();
  wake();
  expect(State::watching_vt, true);
  write_on_vt();
  expect(State::idle, false);
  EXPECT_FALSE(terminals.watched);
}

TEST_F(ConsoleArbiterStates, WatchedVtThatIsLostEndsInIdle) {
  begin_watching();
  switch_to(2);
  expect(State::idle, false);
  EXPECT_FALSE(terminals.watched);
}

TEST_F(ConsoleArbiterStates, WatchedVtWithWriterIsShown) {
  begin_watching();
  open();
  expect(State::shown, true);
  EXPECT_FALSE(terminals.watched);
}

TEST_F(ConsoleArbiterStates, KeptWithVtLostIsKeptBehindAndReturnsWithIt) {
  begin_kept_behind();
  switch_to(3);
  expect(State::kept_behind, false);
  switch_to(1);
  expect(State::kept, true);
}

TEST_F(ConsoleArbiterStates, KeptWithConsoleAttachedStartsTheGrace) {
  card.console = false;
  begin_shown();
  close();
  expect(State::kept, true);
  card.console = true;
  wake();
  expect(State::close_grace, true);
  pass(grace);
  expect(State::idle, false);
}

TEST_F(ConsoleArbiterStates, KeptBehindWithWriterThereIsShown) {
  begin_kept_behind();
  open(2);
  expect(State::shown, true);
}

TEST_F(ConsoleArbiterStates, KeptBehindThatWaitsForMasterReturnsAfterTheOtherMaster) {
  begin_kept_behind();
  card.other_master = true;
  switch_to(1);
  expect(State::kept_behind, false);
  card.other_master = false;
  wake();
  expect(State::kept, true);
}

TEST_F(ConsoleArbiterStates, KeptBehindThatLosesItsVtAgainDropsTheWaitingBuffer) {
  begin_kept_behind();
  card.other_master = true;
  switch_to(1);
  EXPECT_TRUE(group->waits_for_screen());
  switch_to(2);
  EXPECT_FALSE(group->waits_for_screen());
  expect(State::kept_behind, false);
}

}  // namespace
