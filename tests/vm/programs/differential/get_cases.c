/* FBIOGET_VSCREENINFO and FBIOGET_FSCREENINFO. */
#include "probe.h"

static void say_untouched(const unsigned char* one, const unsigned char* other, unsigned size) {
  /* Filled with 0x5a and 0xa5: what is the same in both was written. */
  unsigned i = 0;

  say(" untouched:");
  while (i < size) {
    const unsigned from = i;
    while (i < size && one[i] == 0x5a && other[i] == 0xa5) ++i;
    if (i != from) {
      say(" ");
      say_number((long)from);
      say("-");
      say_number((long)i - 1);
    } else {
      ++i;
    }
  }
}

static void get_size(const void* argument) {
  const unsigned long command = *(const unsigned long*)argument;
  const long file = must_open();
  static unsigned char one[200], other[200];

  memset(one, 0x5a, sizeof one);
  memset(other, 0xa5, sizeof other);
  say_labelled("first", sys_ioctl(file, command, one));
  say_labelled("second", sys_ioctl(file, command, other));
  say_untouched(one, other, sizeof one);
}

static void get_var(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var;
  const uint32_t* values = (const uint32_t*)&var;

  memset(&var, 0x5a, sizeof var);
  say(" ");
  say_result(sys_ioctl(file, FBIOGET_VSCREENINFO, &var));
  say(" xres_virtual=");
  say(var.xres_virtual == var.xres ? "X" : "other");
  say(" yres_virtual=");
  say(var.yres_virtual == 2 * var.yres ? "2Y" : "other");
  for (int i = 4; i < 40; ++i) {
    const int timing = i >= 25 && i <= 31;
    if (values[i] == 0) continue;
    say(" ");
    say(var_fields[i]);
    /* The clock and the margins are the mode's, the millimetres the monitor's. */
    if (timing || i == 22 || i == 23) continue;
    say("=");
    say_unsigned(values[i]);
  }
}

static void get_fix(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_fix_screeninfo fix;

  memset(&fix, 0x5a, sizeof fix);
  say(" ");
  say_result(sys_ioctl(file, FBIOGET_FSCREENINFO, &fix));
  fix.id[15] = 0;
  say(" id=");
  say(fix.id);
  say(" smem_start=");
  say(fix.smem_start == 0 ? "0" : "address");
  say(" smem_len=");
  say(fix.smem_len == fix.line_length * first_var.yres_virtual ? "V*line_length" : "other");
  say(" line_length=");
  say(fix.line_length == first_var.xres * 4 ? "4X" : "other");
  say_labelled("type", (long)fix.type);
  say_labelled("type_aux", (long)fix.type_aux);
  say_labelled("visual", (long)fix.visual);
  say_labelled("xpanstep", fix.xpanstep);
  say_labelled("ypanstep", fix.ypanstep);
  say_labelled("ywrapstep", fix.ywrapstep);
  say_labelled("mmio", (long)(fix.mmio_start | fix.mmio_len));
  say_labelled("accel", (long)fix.accel);
  say_labelled("capabilities", fix.capabilities);
}

void get_cases(void) {
  static const unsigned long var = FBIOGET_VSCREENINFO, fix = FBIOGET_FSCREENINFO;
  run_case(get_size, &var, "get", "var", "bytes", 0);
  run_case(get_size, &fix, "get", "fix", "bytes", 0);
  run_case(get_var, 0, "get", "var", "first", 0);
  run_case(get_fix, 0, "get", "fix", "first", 0);
}
