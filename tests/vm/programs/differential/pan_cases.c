/* FBIOPAN_DISPLAY. */
#include "probe.h"

/* Pans back, since FBIOPUT_VSCREENINFO does not bring the kernel's scan-out back. */
static void pan(long file, const struct fb_var_screeninfo* wanted) {
  struct fb_var_screeninfo var = *wanted, now;
  const long result = sys_ioctl(file, FBIOPAN_DISPLAY, &var);

  say(" ");
  say_result(result);
  if (memcmp(&var, wanted, sizeof var) != 0) say(" written");
  memset(&now, 0, sizeof now);
  sys_ioctl(file, FBIOGET_VSCREENINFO, &now);
  say_var(" now:", &now);
}

static void pan_back(long file) {
  const long result = sys_ioctl(file, FBIOPAN_DISPLAY, &first_var);
  if (result != 0) say_labelled("back", result);
}

struct word {
  int field;
  uint32_t value;
};

static void pan_word(const void* argument) {
  const struct word* word = argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  ((uint32_t*)&var)[word->field] = word->value;
  pan(file, &var);
  pan_back(file);
}

struct offsets {
  const char* name;
  uint32_t xoffset, yoffset, vmode;
};

static void pan_to(const void* argument) {
  const struct offsets* to = argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  var.xoffset = to->xoffset;
  var.yoffset = to->yoffset;
  var.vmode = to->vmode;
  pan(file, &var);
  pan_back(file);
}

static void pan_only_offsets(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var;

  memset(&var, 0, sizeof var);
  var.yoffset = 10;
  pan(file, &var);
  pan_back(file);
}

static void pan_twice(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  var.yoffset = 10;
  pan(file, &var);
  pan(file, &var);
  pan_back(file);
}

static void pan_and_reopen(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var, now;

  var.yoffset = 10;
  pan(file, &var);
  sys_close(file);
  memset(&now, 0, sizeof now);
  sys_ioctl(must_open(), FBIOGET_VSCREENINFO, &now);
  say_var(" reopened:", &now);
  pan_back(must_open());
}

static void pan_through(const void* argument) {
  const long file = open_device(*(const long*)argument);
  struct fb_var_screeninfo var = first_var;

  var.yoffset = 10;
  pan(file, &var);
  pan_back(file);
}

/* Room for a smaller visible part is reckoned with its size. */
static void pan_in_smaller(const void* argument) {
  const struct offsets* to = argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  var.xres = 640;
  var.yres = 480;
  say_labelled("put", sys_ioctl(file, FBIOPUT_VSCREENINFO, &var));
  var.xoffset = to->xoffset;
  var.yoffset = to->yoffset;
  pan(file, &var);
  pan_back(file);
}

static void pan_while_blank(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  will_blank();
  say_labelled("blank", sys_ioctl(file, FBIOBLANK, (void*)4));
  var.yoffset = 10;
  pan(file, &var);
  pan_back(file);
}

void pan_cases(void) {
  const uint32_t room = first_var.yres_virtual - first_var.yres;
  const struct offsets places[] = {
      {"same", 0, 0, 0},
      {"y_one", 0, 1, 0},
      {"y_last_but_one", 0, room - 1, 0},
      {"y_last", 0, room, 0},
      {"y_one_too_many", 0, room + 1, 0},
      {"y_virtual", 0, first_var.yres_virtual, 0},
      {"y_negative", 0, 0xffffffff, 0},
      {"x_one", 1, 0, 0},
      {"x_visible", first_var.xres, 0, 0},
      {"x_negative", 0xffffffff, 0, 0},
      {"both_one", 1, 1, 0},
      {"ywrap_same", 0, 0, FB_VMODE_YWRAP},
      {"ywrap_one", 0, 1, FB_VMODE_YWRAP},
      {"ywrap_one_too_many", 0, room + 1, FB_VMODE_YWRAP},
      {"ywrap_last_line", 0, first_var.yres_virtual - 1, FB_VMODE_YWRAP},
      {"ywrap_virtual", 0, first_var.yres_virtual, FB_VMODE_YWRAP},
      {"ywrap_negative", 0, 0xffffffff, FB_VMODE_YWRAP},
      {"ywrap_x_one", 1, 0, FB_VMODE_YWRAP},
      {"smooth_xpan", 0, 10, FB_VMODE_SMOOTH_XPAN},
      {"conupdate", 0, 10, FB_VMODE_CONUPDATE},
  };
  for (unsigned i = 0; i < sizeof places / sizeof places[0]; ++i)
    run_case(pan_to, &places[i], "pan", "to", places[i].name, 0);
  for (int field = 0; field < 40; ++field) {
    const struct word word = {field, 0xffffffff};
    run_case(pan_word, &word, "pan", var_fields[field], "max", 0);
  }
  const struct offsets in_smaller[] = {
      {"x_last", first_var.xres - 640, 0, 0},
      {"x_one_too_many", first_var.xres - 640 + 1, 0, 0},
      {"y_last", 0, first_var.yres_virtual - 480, 0},
      {"y_one_too_many", 0, first_var.yres_virtual - 480 + 1, 0},
  };
  for (unsigned i = 0; i < sizeof in_smaller / sizeof in_smaller[0]; ++i)
    run_case(pan_in_smaller, &in_smaller[i], "pan", "in_640x480", in_smaller[i].name, 0);
  static const long read_only = rdonly, write_only = wronly;
  run_case(pan_only_offsets, 0, "pan", "else", "zero", 0);
  run_case(pan_twice, 0, "pan", "then", "again", 0);
  run_case(pan_and_reopen, 0, "pan", "then", "reopen", 0);
  run_case(pan_while_blank, 0, "pan", "while", "blank", 0);
  run_case(pan_through, &read_only, "pan", "through", "rdonly", 0);
  run_case(pan_through, &write_only, "pan", "through", "wronly", 0);
}
