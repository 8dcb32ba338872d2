#include <gtest/gtest.h>
#include <xf86drm.h>

#include <cstring>
#include <vector>

#include "drmclient/kms/vblank_source.h"

using drmclient::parse_drm_events;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

template <typename Event>
void append(std::vector<std::byte>& bytes, Event event, uint32_t type) {
  event.base.type = type;
  event.base.length = sizeof event;
  const auto* begin = reinterpret_cast<const std::byte*>(&event);
  bytes.insert(bytes.end(), begin, begin + sizeof event);
}

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

}  // namespace

TEST(DrmEvents, BothKindsOfVblankAreUnderstood) {
  std::vector<std::byte> bytes;
  append(bytes, vblank(33, 7), DRM_EVENT_VBLANK);
  append(bytes, sequence(34, uint64_t{1} << 40), DRM_EVENT_CRTC_SEQUENCE);
  const auto events = parse_drm_events(bytes).vblanks;
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].user_data, 33U);
  EXPECT_EQ(events[0].sequence, 7U);
  EXPECT_EQ(events[0].time.time_since_epoch(), seconds(12) + microseconds(345));
  EXPECT_EQ(events[1].user_data, 34U);
  EXPECT_EQ(events[1].sequence, uint64_t{1} << 40);
  EXPECT_EQ(events[1].time.time_since_epoch(), nanoseconds(67'000'000'089));
}

TEST(DrmEvents, OtherEventsArePassedOver) {
  std::vector<std::byte> bytes;
  append(bytes, vblank(1, 1), DRM_EVENT_FLIP_COMPLETE);
  append(bytes, vblank(2, 2), 0x8000'0000);  // a driver's own
  append(bytes, vblank(3, 3), DRM_EVENT_VBLANK);
  const auto events = parse_drm_events(bytes).vblanks;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].user_data, 3U);
}

TEST(DrmEvents, WhatIsCutOffOrMalformedEndsTheReading) {
  std::vector<std::byte> bytes;
  append(bytes, vblank(1, 1), DRM_EVENT_VBLANK);
  append(bytes, vblank(2, 2), DRM_EVENT_VBLANK);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse_drm_events(std::span(bytes).first(size)).vblanks.size(), size / sizeof(drm_event_vblank));
  }
  std::memset(bytes.data() + sizeof(uint32_t), 0, sizeof(uint32_t));  // a length of 0 would never end
  EXPECT_TRUE(parse_drm_events(bytes).vblanks.empty());
}

TEST(DrmEvents, AnEventThatIsTooShortForItsKindIsNone) {
  drm_event header{DRM_EVENT_VBLANK, sizeof(drm_event)};
  EXPECT_TRUE(parse_drm_events(std::as_bytes(std::span(&header, 1))).vblanks.empty());
}
