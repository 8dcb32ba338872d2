#pragma once

#include <chrono>
#include <optional>

namespace fbemu {

/// When to look at a card's outputs after the kernel has told that they changed.
///
/// The first event is looked at at once. While they go on coming, those that come close together are looked
/// at together, at a distance that doubles up to a limit: each look asks every monitor for its modes, which
/// can take a tenth of a second (a storm of events otherwise keeps a core busy). The last event is never left
/// out. Without a clock of its own: `now` is the caller's, and never goes back.
class HotplugThrottle {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds shortest_distance{50};
  static constexpr std::chrono::milliseconds longest_distance{2000};

  /// The kernel told of a change.
  void event(Time now);
  /// Something happened after which all is to be looked at at once.
  void look_now(Time now) { look_at_ = now; }
  /// When to look; nothing where there is nothing to look for.
  [[nodiscard]] std::optional<Time> look_at() const { return look_at_; }
  /// Whether to look now. Then the events until now are done with.
  [[nodiscard]] bool take_look(Time now);

 private:
  std::optional<Time> look_at_;
  Time last_look_;
  std::chrono::milliseconds distance_{0};
};

}  // namespace fbemu
