#include "fbemu/framebuffer_options.h"

#include <algorithm>
#include <limits>
#include <string>
#include <system_error>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

uint64_t memory_bytes_for(const FramebufferOptions& options) {
  constexpr uint64_t bytes_per_pixel = 4;
  constexpr uint64_t most = std::numeric_limits<uint32_t>::max() / page_size * page_size;
  const uint64_t two_screens = 2 * options.mode.size().area() * bytes_per_pixel;
  const uint64_t virtual_screen = options.virtual_size.area() * bytes_per_pixel;
  const uint64_t wanted =
      options.memory_bytes != 0 ? options.memory_bytes : std::max(two_screens, virtual_screen);
  if (wanted > most) {
    throw std::system_error(
        EINVAL, std::generic_category(),
        "a framebuffer has at most 4 GiB of memory, but " + std::to_string(wanted) + " bytes were asked for");
  }
  return round_up_to_page(wanted);
}

}  // namespace fbemu
