#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "drmclient/kms/kms_modes.h"
#include "drmclient/kms/vblank_source.h"
#include "tests/support/fake_drm.h"
#include "tests/support/manual_clock.h"

namespace unit {

/// A VblankSource with a fake driver and a clock that the test advances.
class VblankSourceFixture : public testing::Test {
 protected:
  static constexpr uint64_t user_data = 41;
  static constexpr FakeDrm::VblankRequest next_by_sequence{true, true, 1, user_data};
  static constexpr FakeDrm::VblankRequest next_by_wait{false, true, 1, user_data};

  VblankSourceFixture() { source.start(mode); }

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
  std::chrono::nanoseconds period = mode.frame_period();
  base::Clock::Time start = clock.now();
  drmclient::VblankSource source{user_data, clock};
};

}  // namespace unit
