/* FBIOPUT_VSCREENINFO. */
#include "put.h"

void say_now(long file) {
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;

  memset(&var, 0, sizeof var);
  memset(&fix, 0, sizeof fix);
  if (sys_ioctl(file, FBIOGET_VSCREENINFO, &var) != 0 || sys_ioctl(file, FBIOGET_FSCREENINFO, &fix) != 0) {
    say(" now unreadable");
    return;
  }
  say_var(" now:", &var);
  say_fix(" fix:", &fix);
}

void put(long file, struct fb_var_screeninfo* var) {
  const struct fb_var_screeninfo sent = *var;
  const long result = sys_ioctl(file, FBIOPUT_VSCREENINFO, var);
  struct fb_var_screeninfo now;

  say(" ");
  say_result(result);
  if (result < 0) {
    if (memcmp(var, &sent, sizeof sent) != 0) say(" written");
  } else {
    say_var("", var);
  }
  memset(&now, 0, sizeof now);
  sys_ioctl(file, FBIOGET_VSCREENINFO, &now);
  if (result < 0 || memcmp(&now, var, sizeof now) != 0) {
    if (result >= 0 && memcmp(&now, &first_var, sizeof now) == 0) say(" now as before");
    say_now(file);
  } else {
    struct fb_fix_screeninfo fix;
    memset(&fix, 0, sizeof fix);
    sys_ioctl(file, FBIOGET_FSCREENINFO, &fix);
    say_fix(" fix:", &fix);
  }
}

struct word {
  int field;
  uint32_t value;
};

static void put_word(const void* argument) {
  const struct word* word = argument;
  struct fb_var_screeninfo var = first_var;

  ((uint32_t*)&var)[word->field] = word->value;
  put(must_open(), &var);
}

struct edge {
  const char* name;
  uint32_t value;
};

static const struct edge edges[] = {
    {"zero", 0}, {"one", 1}, {"int_max", 0x7fffffff}, {"int_min", 0x80000000}, {"max", 0xffffffff},
};

static void put_edited(const void* argument) {
  struct fb_var_screeninfo var = first_var;

  (*(Edit* const*)argument)(&var);
  put(must_open(), &var);
}

struct edited {
  const char* name;
  Edit* edit;
};

EDIT(all_zero, memset(v, 0, sizeof *v))
EDIT(all_ones, memset(v, 0xff, sizeof *v); v->activate = FB_ACTIVATE_NOW)
EDIT(only_size, struct fb_var_screeninfo n; memset(&n, 0, sizeof n); n.xres = v->xres; n.yres = v->yres;
     *v = n)
EDIT(only_size_and_depth, only_size(v); v->bits_per_pixel = 32)
EDIT(xres_less, v->xres -= 1)
EDIT(yres_less, v->yres -= 1)
EDIT(yres_more, v->yres += 1)
EDIT(yres_seven, v->yres = 7)
EDIT(smallest, v->xres = v->yres = 8)
EDIT(small_16, v->xres = v->yres = 16)
EDIT(size_320, v->xres = 320; v->yres = 200)
EDIT(size_640_virtual, v->xres = v->xres_virtual = 640; v->yres = v->yres_virtual = 480)
EDIT(size_800, v->xres = 800; v->yres = 600)
EDIT(size_1024, v->xres = 1024; v->yres = 768)
EDIT(twice_the_width, v->xres *= 2; v->xres_virtual = v->xres)
EDIT(yres_as_virtual, v->yres = v->yres_virtual)
EDIT(product_overflow, v->xres = v->yres = 0x10000)
EDIT(virtual_overflow, v->xres_virtual = v->yres_virtual = 0x10000)
EDIT(virtual_less_than_visible, v->xres_virtual = v->xres - 8; v->yres_virtual = v->yres - 8)
EDIT(xres_virtual_more, v->xres_virtual += 1)
EDIT(xres_virtual_twice, v->xres_virtual *= 2; v->yres_virtual = v->yres)
EDIT(xres_virtual_eight_more, v->xres_virtual += 8; v->yres_virtual = v->yres)
EDIT(yres_virtual_less, v->yres_virtual -= 1)
EDIT(yres_virtual_more, v->yres_virtual += 1)
EDIT(yres_virtual_visible, v->yres_virtual = v->yres)
EDIT(yres_virtual_twice, v->yres_virtual *= 2)
EDIT(xoffset_one_too_many, v->xoffset = v->xres_virtual - v->xres + 1)
EDIT(yoffset_one_too_many, v->yoffset = v->yres_virtual - v->yres + 1)
EDIT(xoffset_in_small, size_640(v); v->xoffset = first_var.xres - 640)
EDIT(grayscale_8, v->bits_per_pixel = 8; v->grayscale = 1)
EDIT(fourcc, v->grayscale = 0x34325258 /* XR24 */; v->colorspace = 0)
EDIT(ywrap, v->vmode = FB_VMODE_YWRAP)
EDIT(ywrap_and_offset, v->vmode = FB_VMODE_YWRAP; v->yoffset = 1)
EDIT(interlaced, v->vmode = FB_VMODE_INTERLACED)
EDIT(doubled, v->vmode = FB_VMODE_DOUBLE)
EDIT(conupdate, v->vmode = FB_VMODE_CONUPDATE)
EDIT(syncs, v->sync = FB_SYNC_HOR_HIGH_ACT | FB_SYNC_VERT_HIGH_ACT)
EDIT(vesa_640, size_640(v); v->pixclock = 39721; v->left_margin = 48; v->right_margin = 16;
     v->upper_margin = 33; v->lower_margin = 10; v->hsync_len = 96; v->vsync_len = 2)
EDIT(rotate_90, v->rotate = 1)
EDIT(rotate_90_swapped, v->rotate = 1; v->xres = first_var.yres; v->yres = first_var.xres;
     v->xres_virtual = v->xres; v->yres_virtual = v->yres)
EDIT(rotate_180, v->rotate = 2)
EDIT(rotate_270, v->rotate = 3)
EDIT(rotate_four, v->rotate = 4)
EDIT(millimetres, v->width = 300; v->height = 200)
EDIT(no_accel, v->accel_flags = 0)

static const struct edited whole[] = {
    {"same", same},
    {"all_zero", all_zero},
    {"all_ones", all_ones},
    {"only_size", only_size},
    {"only_size_and_depth", only_size_and_depth},
    {"xres_less", xres_less},
    {"xres_more", xres_more},
    {"yres_less", yres_less},
    {"yres_more", yres_more},
    {"xres_seven", xres_seven},
    {"yres_seven", yres_seven},
    {"8x8", smallest},
    {"16x16", small_16},
    {"320x200", size_320},
    {"640x480", size_640},
    {"640x480_virtual", size_640_virtual},
    {"800x600", size_800},
    {"1024x768", size_1024},
    {"twice_the_width", twice_the_width},
    {"yres_as_virtual", yres_as_virtual},
    {"product_overflow", product_overflow},
    {"virtual_overflow", virtual_overflow},
    {"virtual_less_than_visible", virtual_less_than_visible},
    {"xres_virtual_more", xres_virtual_more},
    {"xres_virtual_eight_more", xres_virtual_eight_more},
    {"xres_virtual_twice", xres_virtual_twice},
    {"yres_virtual_less", yres_virtual_less},
    {"yres_virtual_more", yres_virtual_more},
    {"yres_virtual_visible", yres_virtual_visible},
    {"yres_virtual_twice", yres_virtual_twice},
    {"xoffset_one_too_many", xoffset_one_too_many},
    {"yoffset_last", yoffset_last},
    {"yoffset_one_too_many", yoffset_one_too_many},
    {"xoffset_in_640x480", xoffset_in_small},
    {"grayscale_8", grayscale_8},
    {"fourcc", fourcc},
    {"ywrap", ywrap},
    {"ywrap_and_offset", ywrap_and_offset},
    {"interlaced", interlaced},
    {"doubled", doubled},
    {"conupdate", conupdate},
    {"syncs", syncs},
    {"640x480_timed", vesa_640},
    {"rotate_90", rotate_90},
    {"rotate_90_swapped", rotate_90_swapped},
    {"rotate_180", rotate_180},
    {"rotate_270", rotate_270},
    {"rotate_four", rotate_four},
    {"millimetres", millimetres},
    {"no_accel", no_accel},
};

static void no_channels(struct fb_var_screeninfo* v) {
  memset(&v->red, 0, 4 * sizeof v->red);
}

/* offsets and lengths: red, green, blue, transp */
static void channels(struct fb_var_screeninfo* v, uint32_t depth, const uint8_t* layout) {
  struct fb_bitfield* fields = &v->red;

  v->bits_per_pixel = depth;
  for (int i = 0; i < 4; ++i) {
    fields[i].offset = layout[i * 2];
    fields[i].length = layout[i * 2 + 1];
    fields[i].msb_right = 0;
  }
}

static const struct layout {
  const char* name;
  uint32_t depth;
  uint8_t channels[8];
} layouts[] = {
    {"1.indexed", 1, {0, 1, 0, 1, 0, 1, 0, 0}},       {"4.indexed", 4, {0, 4, 0, 4, 0, 4, 0, 0}},
    {"8.indexed", 8, {0, 8, 0, 8, 0, 8, 0, 0}},       {"8.332", 8, {5, 3, 2, 3, 0, 2, 0, 0}},
    {"15.1555", 15, {10, 5, 5, 5, 0, 5, 15, 1}},      {"16.555", 16, {10, 5, 5, 5, 0, 5, 0, 0}},
    {"16.1555", 16, {10, 5, 5, 5, 0, 5, 15, 1}},      {"16.565", 16, {11, 5, 5, 6, 0, 5, 0, 0}},
    {"16.bgr565", 16, {0, 5, 5, 6, 11, 5, 0, 0}},     {"16.444", 16, {8, 4, 4, 4, 0, 4, 0, 0}},
    {"24.888", 24, {16, 8, 8, 8, 0, 8, 0, 0}},        {"24.bgr888", 24, {0, 8, 8, 8, 16, 8, 0, 0}},
    {"30.101010", 30, {20, 10, 10, 10, 0, 10, 0, 0}}, {"32.8888", 32, {16, 8, 8, 8, 0, 8, 24, 8}},
    {"32.bgr888", 32, {0, 8, 8, 8, 16, 8, 0, 0}},     {"32.rgbx", 32, {24, 8, 16, 8, 8, 8, 0, 0}},
    {"32.101010", 32, {20, 10, 10, 10, 0, 10, 0, 0}}, {"32.565", 32, {11, 5, 5, 6, 0, 5, 0, 0}},
    {"8.888", 8, {16, 8, 8, 8, 0, 8, 0, 0}},          {"16.888", 16, {16, 8, 8, 8, 0, 8, 0, 0}},
};

static void put_layout(const void* argument) {
  const struct layout* layout = argument;
  struct fb_var_screeninfo var = first_var;

  channels(&var, layout->depth, layout->channels);
  put(must_open(), &var);
}

/* A depth alone: the channels are for the driver to choose. */
static void put_depth(const void* argument) {
  struct fb_var_screeninfo var = first_var;

  var.bits_per_pixel = *(const uint32_t*)argument;
  no_channels(&var);
  put(must_open(), &var);
}

static void put_msb_right(const void* argument) {
  struct fb_var_screeninfo var = first_var;

  (&var.red)[*(const int*)argument].msb_right = 1;
  put(must_open(), &var);
}

/* Sequences */

static void put_twice(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  size_640(&var);
  put(file, &var);
  put(file, &var);
}

static void put_and_reopen(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  yoffset_last(&var);
  put(file, &var);
  sys_close(file);
  say_now(must_open());
}

/* How far the kernel's pan goes is reckoned from the offset that PUT recorded. */
static void put_offset_then_pan(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;
  const struct fb_var_screeninfo start = first_var;

  var.yoffset = 10;
  put(file, &var);
  say_labelled("pan", sys_ioctl(file, FBIOPAN_DISPLAY, &start));
  say_now(file);
}

static void put_through_rdonly(const void* argument) {
  struct fb_var_screeninfo var = first_var;

  yoffset_last(&var);
  put(open_device(*(const long*)argument), &var);
}

static void put_after_error(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  xres_seven(&var);
  put(file, &var);
  size_640(&var);
  put(file, &var);
}

static void put_answer_again(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var;

  memset(&var, 0, sizeof var);
  sys_ioctl(file, FBIOGET_VSCREENINFO, &var);
  put(file, &var);
}

static void put_what_get_gave_doubled(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  /* What a program does that wants two pages. */
  var.yres_virtual = 2 * var.yres;
  var.activate = FB_ACTIVATE_NOW | FB_ACTIVATE_FORCE;
  put(file, &var);
}

void put_cases(void) {
  for (int field = 0; field < 40; ++field) {
    for (unsigned i = 0; i < sizeof edges / sizeof edges[0]; ++i) {
      const struct word word = {field, edges[i].value};
      run_case(put_word, &word, "put", var_fields[field], edges[i].name, 0);
    }
  }
  for (unsigned i = 0; i < sizeof whole / sizeof whole[0]; ++i)
    run_case(put_edited, &whole[i].edit, "put", "var", whole[i].name, 0);
  for (unsigned i = 0; i < sizeof layouts / sizeof layouts[0]; ++i)
    run_case(put_layout, &layouts[i], "put", "layout", layouts[i].name, 0);

  static const struct edge depths[] = {{"2", 2},   {"1", 1},   {"4", 4},   {"8", 8},   {"15", 15},
                                       {"16", 16}, {"17", 17}, {"24", 24}, {"30", 30}, {"31", 31},
                                       {"32", 32}, {"33", 33}, {"64", 64}};
  for (unsigned i = 0; i < sizeof depths / sizeof depths[0]; ++i)
    run_case(put_depth, &depths[i].value, "put", "depth", depths[i].name, 0);
  static const char* const channel_names[] = {"red", "green", "blue", "transp"};
  for (int i = 0; i < 4; ++i) run_case(put_msb_right, &i, "put", "msb_right", channel_names[i], 0);

  static const long read_only = rdonly, write_only = wronly;
  run_case(put_twice, 0, "put", "then", "again", 0);
  run_case(put_and_reopen, 0, "put", "then", "reopen", 0);
  run_case(put_offset_then_pan, 0, "put", "offset_then", "pan", 0);
  run_case(put_through_rdonly, &read_only, "put", "through", "rdonly", 0);
  run_case(put_through_rdonly, &write_only, "put", "through", "wronly", 0);
  run_case(put_after_error, 0, "put", "then", "after_error", 0);
  run_case(put_answer_again, 0, "put", "what", "get_gave", 0);
  run_case(put_what_get_gave_doubled, 0, "put", "two", "pages", 0);
}
