#include <gtest/gtest.h>
#include <poll.h>

#include "drmclient/headless/headless_card.h"
#include "tests/support/enabled_card.h"
#include "tests/support/vblank_clock.h"

using drmclient::make_mode;
using unit::EnabledCard;
using unit::take_vblank;
using unit::VblankClock;

namespace {

constexpr uint32_t rate_millihertz = 500'000;

bool is_readable_now(const drmclient::Card& card) {
  pollfd event{card.event_descriptor(), POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}

class HeadlessVblank : public testing::Test {
 protected:
  HeadlessVblank() { EXPECT_TRUE(enabled.output.set_mode(mode, *enabled.buffer, {}).has_value()); }
  void request() { ASSERT_TRUE(enabled.output.request_vblank().has_value()); }

  drmclient::Mode mode = make_mode({16, 12}, rate_millihertz);
  EnabledCard enabled;
  unit::FaultyCard& card = enabled.card;
};

}  // namespace

TEST_F(HeadlessVblank, RequestGivesEvent) {
  request();
  const auto event = take_vblank(card);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->output, &enabled.output);
}

TEST_F(HeadlessVblank, NoRequestGivesNoEvent) {
  VblankClock(mode).wait_frames(3);
  EXPECT_FALSE(is_readable_now(card));
  EXPECT_TRUE(card.read_events()->empty());
}

TEST_F(HeadlessVblank, OneRequestGivesOneEvent) {
  request();
  ASSERT_TRUE(take_vblank(card).has_value());
  VblankClock(mode).wait_frames(3);
  EXPECT_FALSE(is_readable_now(card));
}

TEST_F(HeadlessVblank, TwoRequestsInOneFrameGiveOneEvent) {
  request();
  request();
  ASSERT_TRUE(take_vblank(card).has_value());
  VblankClock(mode).wait_frames(3);
  EXPECT_FALSE(is_readable_now(card));
}

TEST_F(HeadlessVblank, LateReadStillGivesEvent) {
  request();
  VblankClock(mode).wait_frames(5);
  EXPECT_TRUE(is_readable_now(card));
  EXPECT_EQ(card.read_events()->size(), 1U);
}

TEST_F(HeadlessVblank, RequestBeforeReadKeepsPendingEvent) {
  request();
  VblankClock(mode).wait_frames(3);
  request();
  EXPECT_TRUE(is_readable_now(card));
  EXPECT_EQ(card.read_events()->size(), 1U);
}

TEST_F(HeadlessVblank, SequenceGrowsWithEachFrame) {
  uint32_t last = 0;
  for (int i = 0; i < 10; ++i) {
    request();
    const auto event = take_vblank(card);
    ASSERT_TRUE(event.has_value());
    EXPECT_GT(event->sequence, last);
    last = event->sequence;
  }
}

TEST_F(HeadlessVblank, EventTimesMatchSequence) {
  request();
  const auto first = take_vblank(card);
  request();
  const auto second = take_vblank(card);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->time - first->time, mode.frame_period() * (second->sequence - first->sequence));
}

TEST_F(HeadlessVblank, EventIsNotReadBeforeItsTime) {
  request();
  const auto event = take_vblank(card);
  ASSERT_TRUE(event.has_value());
  EXPECT_LE(event->time, std::chrono::steady_clock::now());
}

TEST_F(HeadlessVblank, PoweredOffOutputStillGivesEvents) {
  ASSERT_TRUE(enabled.output.set_power(drmclient::Power::off).has_value());
  request();
  EXPECT_TRUE(take_vblank(card).has_value());
}

TEST_F(HeadlessVblank, RequestSurvivesModeSet) {
  request();
  ASSERT_TRUE(enabled.output.set_mode(make_mode({20, 20}, rate_millihertz), *enabled.buffer, {}).has_value());
  EXPECT_TRUE(take_vblank(card).has_value());
}

TEST_F(HeadlessVblank, ModeSetDoesNotResetSequence) {
  VblankClock(mode).wait_frames(5);
  request();
  const auto before = take_vblank(card);
  ASSERT_TRUE(enabled.output.set_mode(make_mode({20, 20}, rate_millihertz), *enabled.buffer, {}).has_value());
  request();
  const auto after = take_vblank(card);
  ASSERT_TRUE(before && after);
  EXPECT_GT(after->sequence, before->sequence);
}

TEST_F(HeadlessVblank, VblankAndHotplugAreReadTogether) {
  request();
  VblankClock(mode).wait_frames(3);
  card.set_connected(false);
  EXPECT_EQ(card.read_events()->size(), 2U);
}
