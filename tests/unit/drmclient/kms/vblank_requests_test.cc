// Tests of the requests of a VblankSource to the driver.
#include "drmclient/kms/vblank_source.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/vblank_source_fixture.h"

using drmclient::VblankSource;
using unit::FakeDrm;
using VblankSources = unit::VblankSourceFixture;

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
