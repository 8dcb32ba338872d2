#include "fbemu/output/hotplug_throttle.h"

#include <algorithm>

namespace fbemu {

void HotplugThrottle::event(Time now) {
  // After a while of rest it is the first one again.
  if (now - last_look_ > 2 * longest_distance) distance_ = std::chrono::milliseconds(0);
  if (!look_at_) look_at_ = std::max(now, last_look_ + distance_);
}

bool HotplugThrottle::take_look(Time now) {
  if (!look_at_ || *look_at_ > now) return false;
  look_at_.reset();
  last_look_ = now;
  distance_ = std::clamp(2 * distance_, shortest_distance, longest_distance);
  return true;
}

}  // namespace fbemu
