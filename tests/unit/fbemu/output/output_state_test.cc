#include "fbemu/output/output_state.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using fbemu::next_state;
using fbemu::OutputEvent;
using fbemu::OutputState;
using enum OutputState;
using enum OutputEvent;

struct Transition {
  OutputState from;
  OutputEvent event;
  OutputState to;
};

const std::vector<OutputEvent> all_events{mode_set,        enable_conflict, enable_failed, fb_replaced,
                                          master_released, card_unplugged,  released};

/// Checks the listed transitions from `from`, and that every other event keeps the state.
void expect_transitions(OutputState from, const std::vector<Transition>& transitions) {
  for (const OutputEvent event : all_events) {
    OutputState expected = from;
    for (const Transition& transition : transitions) {
      if (transition.event == event) expected = transition.to;
    }
    EXPECT_EQ(next_state(from, event), expected) << "event " << static_cast<int>(event);
  }
}

TEST(OutputState, DisabledOutputLeavesByAnAttemptToEnableIt) {
  expect_transitions(disabled, {{disabled, mode_set, enabled},
                                {disabled, enable_conflict, waiting_for_master},
                                {disabled, enable_failed, failed},
                                {disabled, card_unplugged, unplugged}});
}

TEST(OutputState, WaitingOutputKeepsItsBufferThroughFailures) {
  expect_transitions(waiting_for_master, {{waiting_for_master, mode_set, enabled},
                                          {waiting_for_master, card_unplugged, unplugged},
                                          {waiting_for_master, released, disabled}});
}

TEST(OutputState, EnabledOutputStaysEnabledIfAnotherModeFails) {
  expect_transitions(enabled, {{enabled, fb_replaced, preempted},
                               {enabled, card_unplugged, unplugged},
                               {enabled, released, disabled}});
}

TEST(OutputState, PreemptedOutputIsEnabledAgainAfterTheOtherMaster) {
  expect_transitions(preempted, {{preempted, mode_set, enabled},
                                 {preempted, master_released, enabled},
                                 {preempted, card_unplugged, unplugged},
                                 {preempted, released, disabled}});
}

TEST(OutputState, FailedOutputIsTriedAgainAfterRelease) {
  expect_transitions(failed, {{failed, mode_set, enabled},
                              {failed, enable_conflict, waiting_for_master},
                              {failed, card_unplugged, unplugged},
                              {failed, released, disabled}});
}

TEST(OutputState, UnpluggedOutputReturnsByAnAttemptToEnableIt) {
  expect_transitions(unplugged, {{unplugged, mode_set, enabled},
                                 {unplugged, enable_conflict, waiting_for_master},
                                 {unplugged, enable_failed, failed},
                                 {unplugged, released, disabled}});
}

}  // namespace
