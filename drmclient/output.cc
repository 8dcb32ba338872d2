#include "drmclient/output.h"

#include <cstdlib>

namespace drmclient {
namespace {

constexpr int64_t near_enough_millihertz = 1'000;

int64_t distance(const Mode& mode, uint32_t refresh_millihertz) {
  return std::abs(int64_t{mode.refresh_millihertz()} - int64_t{refresh_millihertz});
}

bool custom_mode_possible(const OutputInfo& output, Size size) {
  return size.width >= smallest_side && size.height >= smallest_side &&
         size.width <= output.custom_modes_up_to.width && size.height <= output.custom_modes_up_to.height;
}

}  // namespace

base::Result<Mode> choose_listed_mode(std::span<const Mode> modes, Size size,
                                      std::optional<uint32_t> refresh_millihertz) {
  const Mode* best = nullptr;
  for (const Mode& mode : modes) {
    if (mode.size() != size) continue;
    if (best == nullptr ||
        (refresh_millihertz && distance(mode, *refresh_millihertz) < distance(*best, *refresh_millihertz))) {
      best = &mode;
    }
  }
  if (best == nullptr) return base::failure(EINVAL);
  return *best;
}

base::Result<Mode> choose_mode(const OutputInfo& output, Size size,
                               std::optional<uint32_t> refresh_millihertz) {
  auto listed = choose_listed_mode(output.modes, size, refresh_millihertz);
  const bool good =
      listed && (!refresh_millihertz || distance(*listed, *refresh_millihertz) <= near_enough_millihertz);
  if (!good && custom_mode_possible(output, size)) {
    return make_mode(size, refresh_millihertz.value_or(default_refresh_millihertz));
  }
  return listed;
}

}  // namespace drmclient
