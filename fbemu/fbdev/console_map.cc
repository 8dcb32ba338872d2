#include "fbemu/fbdev/console_map.h"

#include <linux/fb.h>
#include <linux/vt.h>

#include <cerrno>

namespace fbemu {
namespace {

using base::failure;
using base::Result;

Result<fb_con2fbmap> read_console_map(UserMemory& memory, uint64_t address) {
  constexpr uint32_t first_console = 1;
  constexpr uint32_t last_console = MAX_NR_CONSOLES;
  const auto map = BASE_TRY(copy_from_user<fb_con2fbmap>(memory, address));
  if (map.console < first_console || map.console > last_console) return failure(EINVAL);
  return map;
}

}  // namespace

Result<void> get_console_map(uint32_t number, UserMemory& memory, uint64_t address) {
  auto map = BASE_TRY(read_console_map(memory, address));
  map.framebuffer = number;
  return copy_to_user(memory, address, map);
}

Result<void> put_console_map(uint32_t number, UserMemory& memory, uint64_t address) {
  const auto map = BASE_TRY(read_console_map(memory, address));
  if (map.framebuffer >= FB_MAX || map.framebuffer != number) return failure(EINVAL);
  return {};
}

}  // namespace fbemu
