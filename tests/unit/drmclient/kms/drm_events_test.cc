#include "drmclient/kms/drm_events.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <xf86drm.h>

#include <array>

#include "base/unique_fd.h"

using drmclient::DrmEvents;
using drmclient::read_drm_events;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

drm_event_vblank vblank(uint64_t user_data, uint32_t sequence) {
  drm_event_vblank event{};
  event.user_data = user_data;
  event.sequence = sequence;
  event.tv_sec = 12;
  event.tv_usec = 345;
  return event;
}

drm_event_crtc_sequence sequence(uint64_t user_data, uint64_t number) {
  drm_event_crtc_sequence event{};
  event.user_data = user_data;
  event.sequence = number;
  event.time_ns = 67'000'000'089;
  return event;
}

/// A pipe in place of a card's node.
class DrmEventsTest : public testing::Test {
 protected:
  DrmEventsTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    node_.reset(ends[0]);
    kernel_.reset(ends[1]);
  }

  template <typename Event>
  void send(Event event, uint32_t type) {
    event.base.type = type;
    event.base.length = sizeof event;
    EXPECT_EQ(::write(kernel_.get(), &event, sizeof event), static_cast<ssize_t>(sizeof event));
  }
  [[nodiscard]] DrmEvents read() const { return read_drm_events(node_.get()); }

  base::UniqueFd node_;
  base::UniqueFd kernel_;
};

}  // namespace

TEST_F(DrmEventsTest, VblankEventHasMicroseconds) {
  send(vblank(33, 7), DRM_EVENT_VBLANK);
  const auto events = read().vblanks;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].user_data, 33U);
  EXPECT_EQ(events[0].sequence, 7U);
  EXPECT_EQ(events[0].time.time_since_epoch(), seconds(12) + microseconds(345));
}

TEST_F(DrmEventsTest, CrtcSequenceEventHasNanoseconds) {
  send(sequence(34, uint64_t{1} << 40), DRM_EVENT_CRTC_SEQUENCE);
  const auto events = read().vblanks;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].user_data, 34U);
  EXPECT_EQ(events[0].sequence, uint64_t{1} << 40);
  EXPECT_EQ(events[0].time.time_since_epoch(), nanoseconds(67'000'000'089));
}

TEST_F(DrmEventsTest, FlipEventGivesUserData) {
  send(vblank(35, 1), DRM_EVENT_FLIP_COMPLETE);
  const DrmEvents events = read();
  EXPECT_TRUE(events.vblanks.empty());
  EXPECT_EQ(events.flips, std::vector<uint64_t>{35});
}

TEST_F(DrmEventsTest, DriverSpecificEventIsIgnored) {
  send(vblank(2, 2), 0x8000'0000);
  send(vblank(3, 3), DRM_EVENT_VBLANK);
  const auto events = read().vblanks;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].user_data, 3U);
}

TEST_F(DrmEventsTest, MoreEventsThanOneReadHoldsAreAllRead) {
  constexpr uint32_t count = 100;
  for (uint32_t i = 0; i < count; ++i) send(vblank(i, i), DRM_EVENT_VBLANK);
  const auto events = read().vblanks;
  ASSERT_EQ(events.size(), count);
  EXPECT_EQ(events.back().sequence, count - 1);
}

TEST_F(DrmEventsTest, NoPendingEventGivesNone) {
  const DrmEvents events = read();
  EXPECT_TRUE(events.vblanks.empty());
  EXPECT_TRUE(events.flips.empty());
}

TEST_F(DrmEventsTest, ClosedNodeGivesNone) {
  kernel_.reset();
  EXPECT_TRUE(read().vblanks.empty());
}
