/* FBIOGETCMAP and FBIOPUTCMAP. */
#include "probe.h"

enum { room = 512 };

struct span {
  uint32_t start, len;
};

static uint16_t buffers[4][room];

static struct fb_cmap map_of(uint32_t start, uint32_t len) {
  const struct fb_cmap map = {start, len, buffers[0], buffers[1], buffers[2], 0};
  return map;
}

static void say_if_struct_changed(const struct fb_cmap* map, const struct span* span) {
  if (map->start != span->start || map->len != span->len) say(" struct written");
}

static void get_span(const void* argument) {
  const struct span* span = argument;
  const long file = must_open();
  struct fb_cmap map = map_of(span->start, span->len);
  unsigned written[4], right = 1;

  memset(buffers, 0x5a, sizeof buffers);
  map.transp = buffers[3];
  say(" ");
  say_result(sys_ioctl(file, FBIOGETCMAP, &map));
  say_if_struct_changed(&map, span);
  for (int channel = 0; channel < 4; ++channel) {
    unsigned last = 0;
    for (unsigned i = 0; i < room; ++i) {
      if (buffers[channel][i] == 0x5a5a) continue;
      last = i + 1;
      right = right && channel < 3 && span->start + i < 256 &&
              buffers[channel][i] == first_map[channel][span->start + i];
    }
    written[channel] = last;
  }
  if (written[0] == 0 && written[1] == 0 && written[2] == 0 && written[3] == 0) return;
  say_labelled("entries", written[0]);
  if (written[1] != written[0] || written[2] != written[0]) say(" channels differ");
  if (written[3] != 0) say(" transp written");
  if (!right) say(" other values");
}

/* What is in the map afterwards: from where to where it differs from the first one, and whether it is what
   was sent. */
static void say_change(long file, uint32_t start) {
  static uint16_t now[3][256];
  const struct fb_cmap all = {0, 256, now[0], now[1], now[2], 0};
  int first = -1, last = -1, right = 1;

  if (sys_ioctl(file, FBIOGETCMAP, &all) != 0) say(" now unreadable");
  for (int channel = 0; channel < 3; ++channel) {
    for (int i = 0; i < 256; ++i) {
      if (now[channel][i] == first_map[channel][i]) continue;
      if (first < 0 || i < first) first = i;
      if (i > last) last = i;
      right = right && (uint32_t)i >= start && (uint32_t)i - start < room &&
              now[channel][i] == buffers[channel][(uint32_t)i - start];
    }
  }
  if (first < 0) return;
  say(" changed=");
  say_number(first);
  say("-");
  say_number(last);
  if (!right) say(" other values");
}

static void fill_buffers(void) {
  for (unsigned channel = 0; channel < 4; ++channel) {
    /* Values that no first map has. */
    for (unsigned i = 0; i < room; ++i) buffers[channel][i] = (uint16_t)(0x1111 * (channel + 1) + i);
  }
}

static void put_span(const void* argument) {
  const struct span* span = argument;
  const long file = must_open();
  struct fb_cmap map = map_of(span->start, span->len);

  fill_buffers();
  will_change_map();
  say(" ");
  say_result(sys_ioctl(file, FBIOPUTCMAP, &map));
  say_if_struct_changed(&map, span);
  say_change(file, span->start);
}

static void first_channel(const void* argument) {
  const uint16_t* channel = first_map[*(const int*)argument];

  for (int i = 0; i < 16; ++i) {
    say(" ");
    say_unsigned(channel[i]);
  }
}

static void first_rest(const void* argument) {
  (void)argument;
  unsigned other = 0;

  for (int channel = 0; channel < 3; ++channel) {
    for (int i = 16; i < 256; ++i) other += first_map[channel][i] != 0;
  }
  say_labelled("not_zero", (long)other);
}

/* A pointer of one channel that is no good. */
struct bad_channel {
  unsigned long command;
  int channel;
  const void* pointer;
};

static void bad_channel(const void* argument) {
  const struct bad_channel* bad = argument;
  const long file = must_open();
  struct fb_cmap map = map_of(0, 16);

  if (bad->command == FBIOPUTCMAP) {
    fill_buffers();
    will_change_map();
  } else {
    memset(buffers, 0x5a, sizeof buffers);
  }
  (&map.red)[bad->channel] = (uint16_t*)bad->pointer;
  say(" ");
  say_result(sys_ioctl(file, bad->command, &map));
  if (bad->command == FBIOPUTCMAP) {
    say_change(file, 0);
    return;
  }
  say(" written:");
  for (int i = 0; i < 4; ++i) {
    static const char* const names[] = {" red", " green", " blue", " transp"};
    if (buffers[i][0] != 0x5a5a) say(names[i]);
  }
}

/* Eight entries of sixteen can be reached. */
static void half_channel(const void* argument) {
  const unsigned long command = *(const unsigned long*)argument;
  const long file = must_open();
  char* at = pages(1);
  struct fb_cmap map = map_of(0, 16);

  fill_buffers();
  will_change_map();
  map.red = (uint16_t*)(at + page) - 8;
  memset(map.red, 0x5a, 16);
  say(" ");
  say_result(sys_ioctl(file, command, &map));
  say_change(file, 0);
}

static void read_only_channel(const void* argument) {
  const unsigned long command = *(const unsigned long*)argument;
  const long file = must_open();
  char* at = pages(1);
  struct fb_cmap map = map_of(0, 16);

  fill_buffers();
  will_change_map();
  map.red = (uint16_t*)at;
  memcpy(at, buffers[0], 32);
  CALL3(__NR_mprotect, at, page, prot_read);
  say(" ");
  say_result(sys_ioctl(file, command, &map));
  say_change(file, 0);
}

static void with_transparency(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_cmap map = map_of(0, 16);

  fill_buffers();
  will_change_map();
  map.transp = buffers[3];
  say(" ");
  say_result(sys_ioctl(file, FBIOPUTCMAP, &map));
  say_change(file, 0);
}

static void put_and_reopen(const void* argument) {
  (void)argument;
  const long file = must_open();
  const struct fb_cmap map = map_of(3, 2);

  fill_buffers();
  will_change_map();
  say(" ");
  say_result(sys_ioctl(file, FBIOPUTCMAP, &map));
  sys_close(file);
  say_change(must_open(), 3);
}

static void put_then_var(const void* argument) {
  (void)argument;
  const long file = must_open();
  const struct fb_cmap map = map_of(3, 2);
  struct fb_var_screeninfo var = first_var;

  fill_buffers();
  will_change_map();
  say(" ");
  say_result(sys_ioctl(file, FBIOPUTCMAP, &map));
  var.activate = FB_ACTIVATE_FORCE;
  say_labelled("put", sys_ioctl(file, FBIOPUT_VSCREENINFO, &var));
  say_change(file, 3);
}

static void put_through(const void* argument) {
  const long file = open_device(*(const long*)argument);
  const struct fb_cmap map = map_of(3, 2);

  fill_buffers();
  will_change_map();
  say(" ");
  say_result(sys_ioctl(file, FBIOPUTCMAP, &map));
  say_change(file, 3);
}

void color_map_cases(void) {
  static const struct {
    const char* name;
    uint32_t value;
  } starts[] = {{"at_0", 0},           {"at_1", 1},
                {"at_15", 15},         {"at_16", 16},
                {"at_240", 240},       {"at_255", 255},
                {"at_256", 256},       {"at_2G-1", 0x7fffffff},
                {"at_2G", 0x80000000}, {"at_4G-1", 0xffffffff}},
    lens[] = {
        {"len_0", 0},           {"len_1", 1},           {"len_15", 15},          {"len_16", 16},
        {"len_17", 17},         {"len_256", 256},       {"len_257", 257},        {"len_1G-1", 0x3fffffff},
        {"len_1G", 0x40000000}, {"len_2G", 0x80000000}, {"len_4G-1", 0xffffffff}};
  static const unsigned long get = FBIOGETCMAP, put = FBIOPUTCMAP;

  for (int channel = 0; channel < 3; ++channel) {
    static const char* const names[] = {"red", "green", "blue"};
    run_case(first_channel, &channel, "cmap", "first", names[channel], 0);
  }
  run_case(first_rest, 0, "cmap", "first", "rest", 0);
  for (unsigned i = 0; i < sizeof starts / sizeof starts[0]; ++i) {
    for (unsigned j = 0; j < sizeof lens / sizeof lens[0]; ++j) {
      const struct span span = {starts[i].value, lens[j].value};
      run_case(get_span, &span, "getcmap", starts[i].name, lens[j].name, 0);
      run_case(put_span, &span, "putcmap", starts[i].name, lens[j].name, 0);
    }
  }
  for (int channel = 0; channel < 4; ++channel) {
    static const char* const names[] = {"red", "green", "blue", "transp"};
    const struct bad_channel cases[] = {{FBIOGETCMAP, channel, 0},
                                        {FBIOGETCMAP, channel, (void*)8},
                                        {FBIOPUTCMAP, channel, 0},
                                        {FBIOPUTCMAP, channel, (void*)8}};
    run_case(bad_channel, &cases[0], "getcmap", "null", names[channel], 0);
    run_case(bad_channel, &cases[1], "getcmap", "unmapped", names[channel], 0);
    run_case(bad_channel, &cases[2], "putcmap", "null", names[channel], 0);
    run_case(bad_channel, &cases[3], "putcmap", "unmapped", names[channel], 0);
  }
  run_case(half_channel, &get, "getcmap", "half_mapped", "red", 0);
  run_case(half_channel, &put, "putcmap", "half_mapped", "red", 0);
  run_case(read_only_channel, &get, "getcmap", "read_only", "red", 0);
  run_case(read_only_channel, &put, "putcmap", "read_only", "red", 0);
  run_case(with_transparency, 0, "putcmap", "with", "transp", 0);
  run_case(put_and_reopen, 0, "putcmap", "then", "reopen", 0);
  run_case(put_then_var, 0, "putcmap", "then", "put_var", 0);
  static const long read_only = rdonly, write_only = wronly;
  run_case(put_through, &read_only, "putcmap", "through", "rdonly", 0);
  run_case(put_through, &write_only, "putcmap", "through", "wronly", 0);
}
