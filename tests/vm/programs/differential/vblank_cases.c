/* FBIO_WAITFORVSYNC and FBIOGET_VBLANK. */
#include "probe.h"

static void wait_for_vsync(const void* argument) {
  const long file = must_open();
  static uint32_t crtc;
  const uint32_t before = crtc = (uint32_t) * (const long*)argument;

  say(" ");
  say_result(sys_ioctl(file, FBIO_WAITFORVSYNC, &crtc));
  if (crtc != before) say(" written");
}

static void wait_many_times(const void* argument) {
  (void)argument;
  const long file = must_open();
  uint32_t crtc = 0;

  for (int i = 0; i < 3; ++i) {
    say(" ");
    say_result(sys_ioctl(file, FBIO_WAITFORVSYNC, &crtc));
  }
}

static void get_vblank(const void* argument) {
  (void)argument;
  struct fb_vblank vblank;
  const uint32_t* words = (const uint32_t*)&vblank;
  static const char* const names[] = {" flags",      " count",      " vcount",     " hcount",
                                      " reserved.0", " reserved.1", " reserved.2", " reserved.3"};

  memset(&vblank, 0x5a, sizeof vblank);
  say(" ");
  say_result(sys_ioctl(must_open(), FBIOGET_VBLANK, &vblank));
  for (int i = 0; i < 8; ++i) {
    if (words[i] == 0x5a5a5a5a) continue;
    say(names[i]);
    /* The others depend on the time. */
    if (i == 0 || i > 3) {
      say("=");
      say_unsigned(words[i]);
    }
  }
}

void vblank_cases(void) {
  static const long crtcs[] = {0, 1, -1};
  run_case(wait_for_vsync, &crtcs[0], "waitforvsync", "crtc", "0", 0);
  run_case(wait_for_vsync, &crtcs[1], "waitforvsync", "crtc", "1", 0);
  run_case(wait_for_vsync, &crtcs[2], "waitforvsync", "crtc", "max", 0);
  run_case(wait_many_times, 0, "waitforvsync", "three", "times", 0);
  run_case(get_vblank, 0, "get_vblank", "answer", 0, 0);
}
