/* Pointers that an ioctl cannot use. */
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
