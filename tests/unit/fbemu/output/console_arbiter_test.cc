#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "tests/support/console_arbiter_fixture.h"

using fbemu::OnClose;
using fbemu::Writers;
using std::chrono::milliseconds;
using unit::grace;
using unit::OnTerminal;
using unit::prompt_grace;
using unit::writers_of;
using ConsoleArbiterTest = unit::ConsoleArbiterFixture;

TEST_F(ConsoleArbiterTest, WriterEnablesOutput) {
  begin();
  frame();
  EXPECT_FALSE(enabled());
  open();
  EXPECT_TRUE(enabled());
  EXPECT_TRUE(arbiter->is_on_active_vt());
}

TEST_F(ConsoleArbiterTest, WithoutVtsWritersAreShown) {
  begin_without_vts();
  EXPECT_EQ(arbiter->descriptor(), -1);
  open(7);
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, WritersWithoutProgramsAreShown) {
  begin();
  set_writers({1, nullptr, false});
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, LastCloseReleasesOutputAfterGrace) {
  begin();
  open();
  close();
  EXPECT_EQ(arbiter->update_at(), clock.now() + grace);
  pass(grace - milliseconds(1));
  EXPECT_TRUE(enabled());
  pass(milliseconds(1));
  EXPECT_FALSE(enabled());
  EXPECT_EQ(card.releases, 1U);
  EXPECT_EQ(arbiter->update_at(), std::nullopt);
}

TEST_F(ConsoleArbiterTest, OpenInGraceKeepsOutputEnabled) {
  begin();
  open();
  const uint64_t sets = statistics.mode_sets;
  close();
  pass(grace - milliseconds(1));
  open();
  EXPECT_EQ(arbiter->update_at(), std::nullopt);
  pass(grace);
  EXPECT_TRUE(enabled());
  EXPECT_EQ(statistics.mode_sets, sets);
}

TEST_F(ConsoleArbiterTest, GraceStartsAtLastClose) {
  begin();
  open();
  close();
  pass(grace - milliseconds(1));
  open();
  close();
  pass(grace - milliseconds(1));
  EXPECT_TRUE(enabled());
  pass(milliseconds(1));
  EXPECT_FALSE(enabled());
}

TEST_F(ConsoleArbiterTest, WrittenPictureStaysUntilVtIsUsedAfterGrace) {
  begin();
  open();
  close(true);
  EXPECT_EQ(arbiter->update_at(), clock.now() + prompt_grace);
  pass(prompt_grace - milliseconds(1));
  EXPECT_FALSE(terminals.watched);
  pass(milliseconds(1));
  EXPECT_TRUE(terminals.watched);
  EXPECT_EQ(arbiter->update_at(), std::nullopt);
  pass(std::chrono::hours(1));
  EXPECT_TRUE(enabled());
  write_on_vt();
  EXPECT_FALSE(enabled());
  EXPECT_FALSE(terminals.watched);
}

TEST_F(ConsoleArbiterTest, PromptInGraceDoesNotEndWrittenPicture) {
  begin();
  open();
  close(true);
  write_on_vt();
  pass(prompt_grace);
  EXPECT_TRUE(enabled());
  wake();
  EXPECT_TRUE(enabled());
  EXPECT_TRUE(terminals.watched);
}

TEST_F(ConsoleArbiterTest, WrittenPictureWithoutVtsEndsAfterGrace) {
  begin_without_vts();
  open();
  close(true);
  pass(prompt_grace - milliseconds(1));
  EXPECT_TRUE(enabled());
  pass(milliseconds(1));
  EXPECT_FALSE(enabled());
}

TEST_F(ConsoleArbiterTest, NewWriterEndsWatchOfVt) {
  begin();
  open();
  close(true);
  pass(prompt_grace);
  ASSERT_TRUE(terminals.watched);
  open();
  EXPECT_FALSE(terminals.watched);
  write_on_vt();
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, OtherActiveVtReleasesOutputAtOnce) {
  begin();
  open();
  switch_to(2);
  EXPECT_FALSE(enabled());
  EXPECT_FALSE(arbiter->is_on_active_vt());
  EXPECT_EQ(card.releases, 1U);
  EXPECT_EQ(card.leaves, 0U);
  switch_to(1);
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, CompositorOnActiveVtReleasesWithoutRestore) {
  begin();
  open();
  terminals.text = false;
  switch_to(2);
  EXPECT_FALSE(enabled());
  EXPECT_EQ(card.leaves, 1U);
  EXPECT_EQ(card.releases, 0U);
}

TEST_F(ConsoleArbiterTest, WriterOnOtherVtEnablesNothing) {
  begin();
  open(4);
  frame();
  EXPECT_FALSE(enabled());
  switch_to(4);
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, PictureWithoutWritersEndsBehindOtherVt) {
  begin();
  open();
  close();
  switch_to(2);
  EXPECT_FALSE(enabled());
  EXPECT_EQ(arbiter->update_at(), std::nullopt);
  switch_to(1);
  EXPECT_FALSE(enabled());
}

TEST_F(ConsoleArbiterTest, KeptPictureReturnsWithItsVt) {
  options.on_close = OnClose::keep;
  begin();
  open();
  close();
  pass(std::chrono::hours(1));
  EXPECT_TRUE(enabled());
  switch_to(2);
  EXPECT_FALSE(enabled());
  switch_to(3);
  EXPECT_FALSE(enabled());
  switch_to(1);
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, WithoutConsolePictureIsKept) {
  card.console = false;
  begin();
  open();
  close();
  EXPECT_EQ(arbiter->update_at(), std::nullopt);
  pass(std::chrono::hours(1));
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, RefusedModeIsTriedAgainAfterFifteenFrames) {
  begin();
  card.refuse_modes = EINVAL;
  open();
  EXPECT_FALSE(enabled());
  card.refuse_modes = 0;
  for (int i = 0; i < 14; ++i) frame();
  EXPECT_FALSE(enabled());
  frame();
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, WakesBetweenFramesDoNotHastenRetry) {
  begin();
  card.refuse_modes = EINVAL;
  open();
  card.refuse_modes = 0;
  for (int i = 0; i < 100; ++i) wake();
  EXPECT_FALSE(enabled());
}

TEST_F(ConsoleArbiterTest, FailedPresentDelaysRetry) {
  begin();
  arbiter->present_failed();
  open();
  EXPECT_FALSE(enabled());
  for (int i = 0; i < 15; ++i) frame();
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, CloseEndsRetryDelay) {
  begin();
  card.refuse_modes = EINVAL;
  open();
  card.refuse_modes = 0;
  close();
  open();
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, WhileAnotherIsMasterEachFrameRetries) {
  begin();
  card.other_master = true;
  open();
  frame();
  EXPECT_FALSE(enabled());
  card.other_master = false;
  frame();
  EXPECT_TRUE(enabled());
}

TEST_F(ConsoleArbiterTest, ProgramsWithinBudgetAreLookedUpOncePerVtSwitch) {
  begin();
  std::vector<std::shared_ptr<OnTerminal>> programs;
  Writers many = writers_of({});
  for (pid_t process = 1; process <= 20; ++process) {
    programs.push_back(std::make_shared<OnTerminal>(5, process, 4));
    many.programs->add(programs.back());
    many.count = static_cast<unsigned>(process);
    set_writers(many);
  }
  for (int i = 0; i < 10; ++i) set_writers(many);
  for (const auto& program : programs) EXPECT_EQ(program->asked, 1U);
  switch_to(2);
  for (const auto& program : programs) EXPECT_EQ(program->asked, 2U);
  EXPECT_FALSE(arbiter->wants_writers());
}

TEST_F(ConsoleArbiterTest, ProgramsBeyondBudgetAreLookedUpLater) {
  begin();
  std::vector<std::shared_ptr<OnTerminal>> programs;
  Writers many = writers_of({});
  for (pid_t process = 1; process <= 1000; ++process) {
    programs.push_back(std::make_shared<OnTerminal>(5, process, 9));
    many.programs->add(programs.back());
  }
  many.count = 1000;
  const auto asked = [&] {
    unsigned count = 0;
    for (const auto& program : programs) count += program->asked;
    return count;
  };
  programs.back()->opened = 1;
  set_writers(many);
  const unsigned first = asked();
  EXPECT_GT(first, 0U);
  EXPECT_LE(first, 100U);
  EXPECT_FALSE(arbiter->is_on_active_vt());
  for (int i = 0; i < 100; ++i) set_writers(many);
  EXPECT_EQ(asked(), first);
  ASSERT_TRUE(arbiter->update_at().has_value());
  while (!enabled()) {
    ASSERT_GT(*arbiter->update_at(), clock.now());
    EXPECT_FALSE(arbiter->wants_writers());
    const unsigned before = asked();
    clock.advance(*arbiter->update_at() - clock.now());
    EXPECT_TRUE(arbiter->wants_writers());
    wake();
    ASSERT_GT(asked(), before);
    ASSERT_LE(asked(), before + 100);
  }
  EXPECT_EQ(asked(), 1000U);
  EXPECT_EQ(arbiter->update_at(), std::nullopt);
}

TEST_F(ConsoleArbiterTest, VtSwitchReleasesOutputBeforeAllLookups) {
  begin();
  open();
  Writers many = writers_of({std::make_shared<OnTerminal>(1)});
  for (pid_t process = 1; process <= 1000; ++process) {
    many.programs->add(std::make_shared<OnTerminal>(5, process));
  }
  many.count = 1001;
  set_writers(many);
  EXPECT_TRUE(enabled());
  switch_to(2);
  EXPECT_FALSE(enabled());
  EXPECT_TRUE(arbiter->update_at().has_value());
}

TEST_F(ConsoleArbiterTest, CloseKeepsOutputEnabledDuringLookups) {
  begin();
  const auto first = std::make_shared<OnTerminal>(5, 1);
  const auto last = std::make_shared<OnTerminal>(5, 2000);
  first->opened = last->opened = 1;
  Writers many = writers_of({first});
  for (pid_t process = 2; process <= 1000; ++process) {
    many.programs->add(std::make_shared<OnTerminal>(5, process));
  }
  many.programs->add(last);
  many.count = 1001;
  set_writers(many);
  ASSERT_TRUE(enabled());
  many.programs->remove(first);
  many.count = 1000;
  set_writers(many);
  while (last->asked == 0) {
    EXPECT_TRUE(enabled());
    ASSERT_TRUE(arbiter->update_at().has_value());
    clock.advance(*arbiter->update_at() - clock.now());
    wake();
  }
  EXPECT_TRUE(enabled());
  EXPECT_EQ(statistics.mode_sets, 1U);
}
