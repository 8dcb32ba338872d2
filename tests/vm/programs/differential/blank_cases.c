/* FBIOBLANK. */
#include "probe.h"

static void blank(const void* argument) {
  const long file = must_open();
  struct fb_var_screeninfo now;

  will_blank();
  say(" ");
  say_result(sys_ioctl(file, FBIOBLANK, *(void* const*)argument));
  memset(&now, 0, sizeof now);
  sys_ioctl(file, FBIOGET_VSCREENINFO, &now);
  say_var(" now:", &now);
}

static void blank_twice(const void* argument) {
  const long file = must_open();

  will_blank();
  say_labelled("first", sys_ioctl(file, FBIOBLANK, *(void* const*)argument));
  say_labelled("second", sys_ioctl(file, FBIOBLANK, *(void* const*)argument));
  say_labelled("on", sys_ioctl(file, FBIOBLANK, 0));
}

static void calls_while_blank(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;
  struct fb_fix_screeninfo fix;
  uint32_t crtc = 0;

  will_blank();
  say_labelled("blank", sys_ioctl(file, FBIOBLANK, (void*)4));
  say_labelled("get_var", sys_ioctl(file, FBIOGET_VSCREENINFO, &var));
  say_var("", &var);
  say_labelled("get_fix", sys_ioctl(file, FBIOGET_FSCREENINFO, &fix));
  say_labelled("put_same", sys_ioctl(file, FBIOPUT_VSCREENINFO, &var));
  say_labelled("waitforvsync", sys_ioctl(file, FBIO_WAITFORVSYNC, &crtc));
  say_labelled("write", sys_write(file, "pixels", 6));
  will_write();
  var.activate = FB_ACTIVATE_FORCE;
  say_labelled("put_force", sys_ioctl(file, FBIOPUT_VSCREENINFO, &var));
}

static void blank_through(const void* argument) {
  will_blank();
  say(" ");
  say_result(sys_ioctl(open_device(*(const long*)argument), FBIOBLANK, (void*)1));
}

void blank_cases(void) {
  static const struct {
    const char* name;
    unsigned long level;
  } levels[] = {
      {"0", 0},
      {"1", 1},
      {"2", 2},
      {"3", 3},
      {"4", 4},
      {"5", 5},
      {"6", 6},
      {"255", 255},
      {"256", 256},
      {"2G-1", 0x7fffffff},
      {"2G", 0x80000000},
      {"minus_one", ~0UL},
#ifdef __x86_64__
      {"4G", 0x100000000},
#endif
  };
  for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; ++i)
    run_case(blank, &levels[i].level, "blank", levels[i].name, 0, 0);
  run_case(blank_twice, &levels[1].level, "blank", "1", "twice", 0);
  run_case(blank_twice, &levels[4].level, "blank", "4", "twice", 0);
  run_case(calls_while_blank, 0, "blank", "then", "others", 0);
  static const long ways[] = {rdonly, wronly};
  run_case(blank_through, &ways[0], "blank", "through", "rdonly", 0);
  run_case(blank_through, &ways[1], "blank", "through", "wronly", 0);
}
