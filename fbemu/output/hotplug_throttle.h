#pragma once

#include <chrono>
#include <optional>

namespace fbemu {

/// The times at which to probe a card's outputs after hotplug events.
///
/// The first event leads to a probe at once. Events that follow closely share a probe, at an interval that
/// doubles up to a limit: each probe reads every monitor's modes, which can take 100 ms. The last event
/// always leads to a probe. The caller passes the time, which never goes back.
class HotplugThrottle {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds shortest_distance{50};
  static constexpr std::chrono::milliseconds longest_distance{2000};

  /// Records a hotplug event.
  void event(Time now);
  /// Requests a probe at once.
  void look_now(Time now) { look_at_ = now; }
  /// Returns the time of the next probe; nothing if none is due.
  [[nodiscard]] std::optional<Time> look_at() const { return look_at_; }
  /// Returns true if the probe is due now, and removes the events so far.
  [[nodiscard]] bool take_look(Time now);

 private:
  std::optional<Time> look_at_;
  Time last_look_;
  std::chrono::milliseconds distance_{0};
};

}  // namespace fbemu
