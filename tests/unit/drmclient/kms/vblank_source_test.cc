#include "drmclient/kms/vblank_source.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <vector>

#include "drmclient/kms/kms_modes.h"
#include "tests/support/fake_drm.h"
#include "tests/support/manual_clock.h"

using drmclient::DrmVblank;
using drmclient::VblankSource;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using unit::FakeDrm;

namespace {

constexpr uint64_t user_data = 41;

class VblankSources : public testing::Test {
 protected:
  VblankSources() { source.start(mode); }

  void request(bool hardware = true) { ASSERT_TRUE(source.request(device, pipe, hardware).has_value()); }
  void request_from_timer() { request(false); }
  [[nodiscard]] std::optional<drmclient::Vblank> send(uint64_t sequence) {
    return source.take({user_data, sequence, clock.now()});
  }
  [[nodiscard]] std::optional<drmclient::Vblank> read_timer() { return source.read_timer(); }
  /// Simulates an event and a present() after it that took most of a frame.
  void present_waiting_for_vblank(uint64_t last_sequence) {
    request();
    ASSERT_TRUE(send(last_sequence).has_value());
    const auto begin = clock.now();
    clock.advance(period / 2);
    source.presented(begin, clock.now());
    drm.vblank_requests.clear();
  }

  FakeDrm drm;
  drmclient::DrmDevice device{drm.path()};
  drmclient::KmsPipe pipe;
  unit::ManualClock clock;
  drmclient::Mode mode = drmclient::mode_from_kernel(FakeDrm::a_mode()).value();
  nanoseconds period = mode.frame_period();
  base::Clock::Time start = clock.now();
  VblankSource source{user_data, clock};
};

constexpr FakeDrm::VblankRequest next_by_sequence{true, true, 1, user_data};
constexpr FakeDrm::VblankRequest next_by_wait{false, true, 1, user_data};

}  // namespace

// Tests of the timer.

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

// Tests of requests to the driver.

TEST_F(VblankSources, RequestQueuesNextSequence) {
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
  EXPECT_EQ(source.kind(), VblankSource::Kind::sequence);
  EXPECT_EQ(send(1000).value().sequence, 1000U);
}

TEST_F(VblankSources, SecondRequestBeforeEventQueuesNothing) {
  request();
  request();
  EXPECT_EQ(drm.vblank_requests.size(), 1U);
}

TEST_F(VblankSources, DisabledOutputUsesTimer) {
  request_from_timer();
  EXPECT_TRUE(drm.vblank_requests.empty());
  EXPECT_EQ(source.kind(), VblankSource::Kind::sequence) << "the driver is used again after the output is on";
}

TEST_F(VblankSources, DriverWithoutSequencesUsesWaitVblank) {
  drm.refuse_sequences = EOPNOTSUPP;
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_wait}));
  EXPECT_EQ(source.kind(), VblankSource::Kind::wait_vblank);
  EXPECT_TRUE(send(7).has_value());
  request();
  EXPECT_EQ(drm.calls["drmCrtcQueueSequence"], 1U) << "an unsupported call is not repeated";
}

TEST_F(VblankSources, WaitVblankNamesSecondCrtc) {
  drm.refuse_sequences = EOPNOTSUPP;
  pipe.crtc_index = 1;
  request();
  EXPECT_EQ(drm.vblank_requests.size(), 1U);
}

TEST_F(VblankSources, DriverWithoutVblanksUsesTimer) {
  drm.refuse_sequences = drm.refuse_waits = EOPNOTSUPP;
  request();
  EXPECT_EQ(source.kind(), VblankSource::Kind::timer);
  clock.advance(period);
  EXPECT_EQ(read_timer().value().sequence, 1U);
  request();
  EXPECT_EQ(drm.calls["drmCrtcQueueSequence"], 1U);
  EXPECT_EQ(drm.calls["drmWaitVBlank"], 1U);
}

TEST_F(VblankSources, DisabledCrtcUsesTimerOnce) {
  drm.refuse_sequences = EINVAL;
  request();
  EXPECT_EQ(source.kind(), VblankSource::Kind::sequence);
  EXPECT_EQ(drm.calls["drmWaitVBlank"], 0U);
  clock.advance(period);
  EXPECT_TRUE(read_timer().has_value());
  drm.refuse_sequences = 0;
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
}

TEST_F(VblankSources, DisabledCrtcUsesTimerOnceWithWaitVblank) {
  drm.refuse_sequences = EOPNOTSUPP;
  drm.refuse_waits = EINVAL;
  request();
  EXPECT_EQ(source.kind(), VblankSource::Kind::wait_vblank);
  clock.advance(period);
  EXPECT_TRUE(read_timer().has_value());
}

TEST_F(VblankSources, EventWithoutRequestIsIgnored) {
  EXPECT_FALSE(send(5));
}

TEST_F(VblankSources, EventDuringTimerRequestIsIgnored) {
  request_from_timer();
  EXPECT_FALSE(send(5));
  clock.advance(period);
  EXPECT_TRUE(read_timer().has_value());
}

// Tests of lost, late and duplicate events.

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

// Tests of a present() that waits for the vblank.

TEST_F(VblankSources, BlockingPresentRequestsCurrentVblank) {
  present_waiting_for_vblank(99);
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector<FakeDrm::VblankRequest>{{true, false, 100, user_data}}));
}

TEST_F(VblankSources, BlockingPresentRequestsCurrentVblankWithWaitVblank) {
  drm.refuse_sequences = EOPNOTSUPP;
  present_waiting_for_vblank(99);
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector<FakeDrm::VblankRequest>{{false, false, 100, user_data}}));
}

TEST_F(VblankSources, QuickPresentRequestsNextVblank) {
  request();
  ASSERT_TRUE(send(99).has_value());
  const auto begin = clock.now();
  clock.advance(period / 8);
  source.presented(begin, clock.now());
  drm.vblank_requests.clear();
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
}

TEST_F(VblankSources, OldBlockingPresentRequestsNextVblank) {
  present_waiting_for_vblank(99);
  clock.advance(period / 2);
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
}

TEST_F(VblankSources, BlockingPresentCountsForOneRequest) {
  present_waiting_for_vblank(99);
  request();
  ASSERT_TRUE(send(100).has_value());
  drm.vblank_requests.clear();
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
}

TEST_F(VblankSources, BlockingPresentBeforeFirstEventRequestsNextVblank) {
  source.presented(clock.now() - period, clock.now());
  request();
  EXPECT_EQ(drm.vblank_requests, (std::vector{next_by_sequence}));
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
