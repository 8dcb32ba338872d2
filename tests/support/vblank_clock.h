#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <optional>
#include <variant>

#include "tests/support/enabled_card.h"

namespace unit {

/// Waits for a vblank that was requested on `card`. Returns the event, or nothing after 30 seconds.
inline std::optional<drmclient::VblankEvent> take_vblank(drmclient::Card& card) {
  pollfd event{card.event_descriptor(), POLLIN, 0};
  if (::poll(&event, 1, 30'000) != 1) return std::nullopt;
  const auto events = card.read_events();
  if (!events || events->empty()) return std::nullopt;
  const auto* vblank = std::get_if<drmclient::VblankEvent>(&events->front());
  return vblank == nullptr ? std::nullopt : std::optional(*vblank);
}

/// A clock that counts frames of a mode on a headless card of its own.
class VblankClock {
 public:
  explicit VblankClock(const drmclient::Mode& mode) {
    EXPECT_TRUE(enabled_.output.set_mode(mode, *enabled_.buffer, {}).has_value());
  }
  void wait_frames(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(enabled_.output.request_vblank().has_value());
      ASSERT_TRUE(take_vblank(enabled_.card).has_value());
    }
  }

 private:
  EnabledCard enabled_;
};

}  // namespace unit
