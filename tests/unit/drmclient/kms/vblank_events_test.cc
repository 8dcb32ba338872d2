// Tests of lost, late and duplicate events of the driver.
#include "drmclient/kms/vblank_source.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/vblank_source_fixture.h"

using drmclient::VblankSource;
using std::chrono::nanoseconds;
using VblankSources = unit::VblankSourceFixture;

TEST_F(VblankSources, LostEventIsReplacedByTimerAfterSixFrames) {
  request();
  clock.advance(6 * period - nanoseconds(1));
  EXPECT_FALSE(read_timer());
  clock.advance(nanoseconds(1));
  EXPECT_TRUE(read_timer().has_value());
  EXPECT_EQ(source.kind(), VblankSource::Kind::sequence) << "one lost event is not enough";
}

TEST_F(VblankSources, ThreeLostEventsSwitchToTimer) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(source.kind(), VblankSource::Kind::sequence);
    request();
    clock.advance(6 * period);
    EXPECT_TRUE(read_timer().has_value());
  }
  EXPECT_EQ(source.kind(), VblankSource::Kind::timer);
  request();
  EXPECT_EQ(drm.vblank_requests.size(), 3U);
  clock.advance(period);
  EXPECT_TRUE(read_timer().has_value()) << "the timer provides vblanks at the mode's rate";
}

TEST_F(VblankSources, ReceivedEventResetsLostEvents) {
  for (int i = 0; i < 5; ++i) {
    request();
    clock.advance(6 * period);
    ASSERT_TRUE(read_timer().has_value());
    request();
    ASSERT_TRUE(send(static_cast<uint64_t>(100 + i)).has_value());
  }
  EXPECT_EQ(source.kind(), VblankSource::Kind::sequence);
}

TEST_F(VblankSources, LateEventWithoutRequestIsIgnored) {
  request();
  clock.advance(6 * period);
  ASSERT_TRUE(read_timer().has_value());
  EXPECT_FALSE(send(10));
}

TEST_F(VblankSources, LateEventWithNextEventIsOneVblank) {
  request();
  clock.advance(6 * period);
  ASSERT_TRUE(read_timer().has_value());
  request();
  // The driver completes both requests at vblank 17.
  EXPECT_TRUE(send(17).has_value());
  request();
  EXPECT_FALSE(send(17)) << "already reported";
  EXPECT_TRUE(send(18).has_value());
}

TEST_F(VblankSources, DuplicateEventIsOneVblank) {
  request();
  EXPECT_TRUE(send(17).has_value());
  EXPECT_FALSE(send(17));
  request();
  EXPECT_FALSE(send(17));
}

TEST_F(VblankSources, StuckSequenceCounterSwitchesToTimer) {
  request();
  ASSERT_TRUE(send(17).has_value());
  for (int i = 0; i < 3; ++i) {
    request();
    EXPECT_FALSE(send(17));
    clock.advance(6 * period);
    EXPECT_TRUE(read_timer().has_value());
  }
  EXPECT_EQ(source.kind(), VblankSource::Kind::timer);
}

TEST_F(VblankSources, EventAndTimeoutAfterJumpAreOneVblank) {
  request();
  clock.advance(20 * period);
  EXPECT_EQ(send(3).value().sequence, 3U);
  EXPECT_FALSE(read_timer());
  request();
  EXPECT_FALSE(read_timer()) << "the timeout was restarted";
}
