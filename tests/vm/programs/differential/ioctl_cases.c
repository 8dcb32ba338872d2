/* Pointers that are no good, numbers that are not known, and the ioctls with little to ask. */
#include "probe.h"

struct command {
  const char* name;
  unsigned long number;
  unsigned size;
};

static const struct command with_pointer[] = {
    {"get_var", FBIOGET_VSCREENINFO, sizeof(struct fb_var_screeninfo)},
    {"put_var", FBIOPUT_VSCREENINFO, sizeof(struct fb_var_screeninfo)},
    {"get_fix", FBIOGET_FSCREENINFO, sizeof(struct fb_fix_screeninfo)},
    {"getcmap", FBIOGETCMAP, sizeof(struct fb_cmap)},
    {"putcmap", FBIOPUTCMAP, sizeof(struct fb_cmap)},
    {"pan", FBIOPAN_DISPLAY, sizeof(struct fb_var_screeninfo)},
    {"get_con2fbmap", FBIOGET_CON2FBMAP, sizeof(struct fb_con2fbmap)},
    {"put_con2fbmap", FBIOPUT_CON2FBMAP, sizeof(struct fb_con2fbmap)},
    {"get_vblank", FBIOGET_VBLANK, sizeof(struct fb_vblank)},
    {"cursor", FBIO_CURSOR, sizeof(struct fb_cursor)},
    {"waitforvsync", FBIO_WAITFORVSYNC, sizeof(uint32_t)},
    {"unknown", 0x4620, 160},
};

static uint16_t channels[3][16];

/* An argument that is all right, so that only the pointer is wrong. */
static void make_argument(const struct command* command, void* at) {
  memset(at, 0, command->size);
  if (command->number == FBIOPUT_VSCREENINFO || command->number == FBIOPAN_DISPLAY) {
    memcpy(at, &first_var, sizeof first_var);
  } else if (command->number == FBIOGETCMAP || command->number == FBIOPUTCMAP) {
    const struct fb_cmap map = {0, 1, channels[0], channels[1], channels[2], 0};
    memcpy(at, &map, sizeof map);
    for (int i = 0; i < 3; ++i) channels[i][0] = first_map[i][0];
  } else if (command->number == FBIOGET_CON2FBMAP || command->number == FBIOPUT_CON2FBMAP) {
    const struct fb_con2fbmap map = {1, 0};
    memcpy(at, &map, sizeof map);
  }
}

enum kind { null, low, unmapped, no_access, read_only, half, one_short, of_the_kernel, odd, across, kinds };
static const char* const kind_names[kinds] = {"null",      "low",         "unmapped",  "no_access",
                                              "read_only", "half_mapped", "one_short", "of_the_kernel",
                                              "odd",       "across_pages"};

struct pointer_case {
  const struct command* command;
  enum kind kind;
};

static void bad_pointer(const void* argument) {
  const struct pointer_case* wanted = argument;
  const struct command* command = wanted->command;
  const long file = must_open();
  static char template[256];
  char* at = pages(2);
  unsigned reachable = 0, touched = 0;
  char* pointer = at + 2 * page;

  make_argument(command, template);
  switch (wanted->kind) {
    case null:
      pointer = 0;
      break;
    case low:
      pointer = (char*)8;
      break;
    case unmapped:
      break;
    case no_access:
      pointer = at;
      memcpy(pointer, template, command->size);
      CALL3(__NR_mprotect, at, page, prot_none);
      break;
    case read_only:
      pointer = at;
      memcpy(pointer, template, command->size);
      CALL3(__NR_mprotect, at, page, prot_read);
      reachable = command->size;
      break;
    case half:
      reachable = command->size / 2;
      pointer -= reachable;
      break;
    case one_short:
      reachable = command->size - 1;
      pointer -= reachable;
      break;
    case of_the_kernel:
#ifdef __x86_64__
      pointer = (char*)0xffff888000000000;
#else
      pointer = (char*)0xfffff000;
#endif
      break;
    case odd:
      reachable = command->size;
      pointer = at + 1;
      break;
    case across:
    default:
      reachable = command->size;
      pointer = at + page - command->size / 2;
  }
  if (wanted->kind >= half && reachable != 0) memcpy(pointer, template, reachable);
  say(" ");
  say_result(sys_ioctl(file, command->number, pointer));
  for (unsigned i = 0; i < reachable; ++i) touched += pointer[i] != template[i];
  if (touched != 0) say(" written");
}

/* The program's own channels are no better than the framebuffer that they may lie in; nothing of this maps,
   so it is in the group of the ioctls. */
static void change_into_read_only(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo* var = (struct fb_var_screeninfo*)pages(1);
  struct fb_var_screeninfo now;

  *var = first_var;
  var->yoffset = 1;
  CALL3(__NR_mprotect, var, page, prot_read);
  say(" ");
  say_result(sys_ioctl(file, FBIOPUT_VSCREENINFO, var));
  memset(&now, 0, sizeof now);
  sys_ioctl(file, FBIOGET_VSCREENINFO, &now);
  say_var(" now:", &now);
}

static void pan_from_read_only(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo* var = (struct fb_var_screeninfo*)pages(1);
  struct fb_var_screeninfo now;

  *var = first_var;
  var->yoffset = 1;
  CALL3(__NR_mprotect, var, page, prot_read);
  say(" ");
  say_result(sys_ioctl(file, FBIOPAN_DISPLAY, var));
  memset(&now, 0, sizeof now);
  sys_ioctl(file, FBIOGET_VSCREENINFO, &now);
  say_var(" now:", &now);
  sys_ioctl(file, FBIOPAN_DISPLAY, &first_var);
}

struct access {
  const struct command* command;
  long flags;
};

static void through(const void* argument) {
  const struct access* access = argument;
  const long file = open_device(access->flags);
  static char template[256];

  if (access->command->number == FBIOPUTCMAP) will_change_map();
  make_argument(access->command, template);
  say(" ");
  say_result(sys_ioctl(file, access->command->number, template));
}

void pointer_cases(void) {
  for (unsigned i = 0; i < sizeof with_pointer / sizeof with_pointer[0]; ++i) {
    for (int kind = 0; kind < kinds; ++kind) {
      const struct pointer_case wanted = {&with_pointer[i], (enum kind)kind};
      run_case(bad_pointer, &wanted, "pointer", with_pointer[i].name, kind_names[kind], 0);
    }
    static const struct {
      const char* name;
      long flags;
    } ways[] = {{"rdonly", rdonly}, {"wronly", wronly}, {"path", 010000000}, {"nonblock", rdwr | 04000}};
    for (unsigned j = 0; j < sizeof ways / sizeof ways[0]; ++j) {
      const struct access access = {&with_pointer[i], ways[j].flags};
      run_case(through, &access, "through", ways[j].name, with_pointer[i].name, 0);
    }
  }
  run_case(change_into_read_only, 0, "pointer", "put_var", "change_read_only", 0);
  run_case(pan_from_read_only, 0, "pointer", "pan", "change_read_only", 0);
}

/* Numbers */

struct number {
  const char* name;
  unsigned long value;
};

static void unknown_number(const void* argument) {
  const struct number* number = argument;
  const long file = must_open();
  static unsigned char bytes[1024];
  unsigned touched = 0;

  memset(bytes, 0x5a, sizeof bytes);
  say(" ");
  say_result(sys_ioctl(file, number->value, bytes));
  for (unsigned i = 0; i < sizeof bytes; ++i) touched += bytes[i] != 0x5a;
  if (touched != 0) say(" written");
}

static void with_null(const void* argument) {
  const struct number* number = argument;
  say(" ");
  say_result(sys_ioctl(must_open(), number->value, 0));
}

void number_cases(void) {
  static const struct number numbers[] = {
      {"4603", 0x4603},
      {"4607", 0x4607},
      {"4608", 0x4608},
      {"4609", 0x4609},
      {"460a", 0x460a},
      {"460b", 0x460b},
      {"get_monitorspec", 0x460c},
      {"put_monitorspec", 0x460d},
      {"switch_monibit", 0x460e},
      {"get_vblank_without_size", 0x4612},
      {"alloc", FBIO_ALLOC},
      {"free", FBIO_FREE},
      {"get_glyph", FBIOGET_GLYPH},
      {"get_hwcinfo", FBIOGET_HWCINFO},
      {"put_modeinfo", FBIOPUT_MODEINFO},
      {"get_dispinfo", FBIOGET_DISPINFO},
      {"4619", 0x4619},
      {"461f", 0x461f},
      {"waitforvsync_without_size", 0x4620},
      {"waitforvsync_read", 0x80044620},
      {"get_var_with_size", 0x80a04600},
      {"put_var_with_size", 0x40a04601},
      {"put_var_both_ways", 0xc0a04601},
      {"cursor_64", 0xc0684608},
      {"cursor_32", 0xc0484608},
      {"omap_sync_gfx", 0x4f25},
      {"46ff", 0x46ff},
      {"large", 0xffff46ff},
      {"zero", 0},
      {"all_ones", 0xffffffff},
      {"fibmap", 1},
      {"figetbsz", 2},
      {"tcgets", 0x5401},
      {"tiocgwinsz", 0x5413},
      {"fionread", 0x541b},
      {"fionbio", 0x5421},
      {"fionclex", 0x5450},
      {"fioclex", 0x5451},
      {"fioasync", 0x5452},
      {"fioqsize", 0x5460},
      {"blkgetsize", 0x1260},
      {"kdgetmode", 0x4b3b},
      {"drm_version", 0xc0406400},
      {"fs_getflags_64", 0x80086601},
      {"fs_getflags_32", 0x80046601},
      {"ficlone", 0x40049409},
  };
  for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
    run_case(unknown_number, &numbers[i], "number", numbers[i].name, 0, 0);
    if ((numbers[i].value & 0xff00) == 0x4600)
      run_case(with_null, &numbers[i], "number", numbers[i].name, "null", 0);
  }
#ifdef __x86_64__
  /* The kernel takes 32 bits of the number. */
  static const struct number high = {"high_bits", 0x100004600};
  run_case(unknown_number, &high, "number", high.name, 0, 0);
#endif
}

/* FBIOBLANK, FBIO_WAITFORVSYNC, FBIOGET_VBLANK and the consoles */

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

void other_cases(void) {
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

  static const long crtcs[] = {0, 1, -1};
  run_case(wait_for_vsync, &crtcs[0], "waitforvsync", "crtc", "0", 0);
  run_case(wait_for_vsync, &crtcs[1], "waitforvsync", "crtc", "1", 0);
  run_case(wait_for_vsync, &crtcs[2], "waitforvsync", "crtc", "max", 0);
  run_case(wait_many_times, 0, "waitforvsync", "three", "times", 0);
  run_case(get_vblank, 0, "get_vblank", "answer", 0, 0);

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
