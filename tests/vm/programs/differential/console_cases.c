/* FBIOGET_CON2FBMAP and FBIOPUT_CON2FBMAP. */
#include "probe.h"

static void get_console(const void* argument) {
  struct fb_con2fbmap map = {*(const uint32_t*)argument, 0x5a5a5a5a};

  say(" ");
  say_result(sys_ioctl(must_open(), FBIOGET_CON2FBMAP, &map));
  if (map.console != *(const uint32_t*)argument) say(" console written");
  if (map.framebuffer != 0x5a5a5a5a) {
    say(" framebuffer=");
    say_unsigned(map.framebuffer);
  }
}

static void put_console(const void* argument) {
  const struct fb_con2fbmap* wanted = argument;
  const long file = must_open();
  struct fb_con2fbmap map = *wanted;

  say(" ");
  say_result(sys_ioctl(file, FBIOPUT_CON2FBMAP, &map));
  if (memcmp(&map, wanted, sizeof map) != 0) say(" written");
  map.framebuffer = 0x5a5a5a5a;
  if (sys_ioctl(file, FBIOGET_CON2FBMAP, &map) == 0) {
    say(" now=");
    say_unsigned(map.framebuffer);
  }
}

void console_cases(void) {
  static const struct {
    const char* name;
    uint32_t value;
  } consoles[] = {{"console_0", 0},   {"console_1", 1},     {"console_2", 2},           {"console_63", 63},
                  {"console_64", 64}, {"console_256", 256}, {"console_max", 0xffffffff}},
    framebuffers[] = {{"fb_0", 0}, {"fb_1", 1}, {"fb_31", 31}, {"fb_32", 32}, {"fb_max", 0xffffffff}};
  for (unsigned i = 0; i < sizeof consoles / sizeof consoles[0]; ++i) {
    run_case(get_console, &consoles[i].value, "con2fbmap", "get", consoles[i].name, 0);
    for (unsigned j = 0; j < sizeof framebuffers / sizeof framebuffers[0]; ++j) {
      const struct fb_con2fbmap map = {consoles[i].value, framebuffers[j].value};
      run_case(put_console, &map, "con2fbmap", "put", consoles[i].name, framebuffers[j].name);
    }
  }
}
