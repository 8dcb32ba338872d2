// Tests of the timer of a VblankSource, and of a new mode.
#include "drmclient/kms/vblank_source.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "tests/support/vblank_source_fixture.h"

using drmclient::VblankSource;
using std::chrono::nanoseconds;
using unit::FakeDrm;
using VblankSources = unit::VblankSourceFixture;

TEST_F(VblankSources, TimerBeforeFrameGivesNoEvent) {
  request_from_timer();
  clock.advance(period - nanoseconds(1));
  EXPECT_FALSE(read_timer());
}

TEST_F(VblankSources, TimerAtFrameGivesNumberAndTime) {
  request_from_timer();
  clock.advance(period);
  const auto event = read_timer();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->sequence, 1U);
  EXPECT_EQ(event->time, start + period);
  EXPECT_FALSE(read_timer()) << "one event per request";
}

TEST_F(VblankSources, TimerWithoutRequestGivesNoEvent) {
  clock.advance(10 * period);
  EXPECT_FALSE(read_timer());
}

TEST_F(VblankSources, TimerRequestWithinFrameIsDueAtItsEnd) {
  clock.advance(period * 5 / 2);
  request_from_timer();
  clock.advance(period / 2);
  EXPECT_EQ(read_timer().value().sequence, 3U);
}

TEST_F(VblankSources, SecondTimerRequestKeepsDueTime) {
  request_from_timer();
  clock.advance(period / 2);
  request_from_timer();
  clock.advance(period / 2);
  EXPECT_TRUE(read_timer().has_value());
}

TEST_F(VblankSources, TimerAfterJumpGivesOneEventOfLastFrame) {
  request_from_timer();
  clock.advance(period * 7 + period / 3);
  const auto event = read_timer();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->sequence, 7U);
  EXPECT_EQ(event->time, start + period * 7);
  request_from_timer();
  EXPECT_FALSE(read_timer()) << "frame 7 was already reported";
  clock.advance(period - period / 3);
  EXPECT_EQ(read_timer().value().sequence, 8U);
}

RC_GTEST_FIXTURE_PROP(VblankSources, TimerReportsEachFrameOnceInTime, ()) {
  uint64_t last = 0;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 40));
  for (const int tenths : steps) {
    RC_ASSERT(source.request(device, pipe, false).has_value());
    const auto elapsed_before = (clock.now() - start) / period;
    clock.advance(period * tenths / 10);
    const auto frame = static_cast<uint64_t>((clock.now() - start) / period);
    const auto event = read_timer();
    if (event) {
      RC_ASSERT(event->sequence == frame);
      RC_ASSERT(event->sequence > last);
      last = event->sequence;
    } else {
      RC_ASSERT(static_cast<uint64_t>(elapsed_before) == frame || last == frame);
    }
  }
}

TEST_F(VblankSources, TimerDescriptorBecomesReadableInRealTime) {
  VblankSource real(user_data);
  real.start(mode);
  ASSERT_TRUE(real.request(device, pipe, false).has_value());
  pollfd timer{real.timer_descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&timer, 1, 10'000), 1);
  EXPECT_TRUE(real.read_timer().has_value());
  EXPECT_EQ(::poll(&timer, 1, 0), 0);
}

// Tests of a new mode.

TEST_F(VblankSources, RestartCountsFramesOfNewMode) {
  drmclient::Mode slow = mode;
  slow.clock_khz /= 2;
  clock.advance(period * 10);
  source.start(slow);
  request_from_timer();
  clock.advance(period);
  EXPECT_FALSE(read_timer());
  clock.advance(slow.frame_period() - period);
  EXPECT_EQ(read_timer().value().sequence, 1U);
}

TEST_F(VblankSources, RestartRetriesAbandonedDriver) {
  drm.refuse_sequences = drm.refuse_waits = EOPNOTSUPP;
  request();
  clock.advance(period);
  ASSERT_TRUE(read_timer().has_value());
  ASSERT_EQ(source.kind(), VblankSource::Kind::timer);
  drm.refuse_sequences = 0;
  source.start(mode);
  request();
  EXPECT_EQ(source.kind(), VblankSource::Kind::sequence);
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
}

TEST_F(VblankSources, RestartMovesTimerRequestToNewMode) {
  drmclient::Mode slow = mode;
  slow.clock_khz /= 20;
  source.start(slow);
  request_from_timer();
  source.start(mode);
  clock.advance(period);
  EXPECT_EQ(read_timer().value().sequence, 1U);
}

TEST_F(VblankSources, RestartMovesTimeoutToNewMode) {
  drmclient::Mode slow = mode;
  slow.clock_khz /= 20;
  source.start(slow);
  request();
  source.start(mode);
  clock.advance(6 * period);
  EXPECT_TRUE(read_timer().has_value());
}

TEST_F(VblankSources, RestartAcceptsRepeatedSequence) {
  request();
  ASSERT_TRUE(send(17).has_value());
  source.start(mode);
  request();
  EXPECT_TRUE(send(17).has_value()) << "a mode set may reset the counter";
}
