#include "fbemu/fbdev/console_map.h"

#include <linux/fb.h>
#include <linux/vt.h>

#include <cerrno>

namespace fbemu {
namespace {

int read_console_map(UserMemory& memory, uint64_t address, fb_con2fbmap& map) {
  constexpr uint32_t first_console = 1;
  constexpr uint32_t last_console = MAX_NR_CONSOLES;
  if (const int error = copy_from_user(memory, address, map); error != 0) return error;
  return map.console < first_console || map.console > last_console ? EINVAL : 0;
}

}  // namespace

int get_console_map(uint32_t number, UserMemory& memory, uint64_t address) {
  fb_con2fbmap map{};
  if (const int error = read_console_map(memory, address, map); error != 0) return error;
  map.framebuffer = number;
  return copy_to_user(memory, address, map);
}

int put_console_map(uint32_t number, UserMemory& memory, uint64_t address) {
  fb_con2fbmap map{};
  if (const int error = read_console_map(memory, address, map); error != 0) return error;
  return map.framebuffer < FB_MAX && map.framebuffer == number ? 0 : EINVAL;
}

}  // namespace fbemu
