/* The line of the case that runs. It lies in shared memory, so that what was said before a signal is kept. */
#include "report.h"

#include <linux/fb.h>

#include "probe.h"

struct report* report;

void say(const char* text) {
  while (*text != 0 && report->used < sizeof report->text - 1) report->text[report->used++] = *text++;
}

void say_number(long value) {
  char digits[24];
  unsigned count = 0;
  unsigned long rest = value < 0 ? 0UL - (unsigned long)value : (unsigned long)value;

  if (value < 0) say("-");
  do {
    digits[count++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  while (count != 0) {
    const char one[2] = {digits[--count], 0};
    say(one);
  }
}

void say_unsigned(uint32_t value) {
  if (value <= 99999) {
    say_number((long)value);
    return;
  }
  say("0x");
  for (int shift = 28; shift >= 0; shift -= 4) {
    if (shift != 0 && value >> shift == 0) continue;
    const char one[2] = {"0123456789abcdef"[value >> shift & 15], 0};
    say(one);
  }
}

static const struct {
  long number;
  const char* name;
} errors[] = {
    {1, "EPERM"},      {2, "ENOENT"},      {4, "EINTR"},          {5, "EIO"},        {6, "ENXIO"},
    {7, "E2BIG"},      {9, "EBADF"},       {11, "EAGAIN"},        {12, "ENOMEM"},    {13, "EACCES"},
    {14, "EFAULT"},    {15, "ENOTBLK"},    {16, "EBUSY"},         {17, "EEXIST"},    {18, "EXDEV"},
    {19, "ENODEV"},    {20, "ENOTDIR"},    {21, "EISDIR"},        {22, "EINVAL"},    {25, "ENOTTY"},
    {26, "ETXTBSY"},   {27, "EFBIG"},      {28, "ENOSPC"},        {29, "ESPIPE"},    {30, "EROFS"},
    {33, "EDOM"},      {34, "ERANGE"},     {38, "ENOSYS"},        {40, "ELOOP"},     {61, "ENODATA"},
    {75, "EOVERFLOW"}, {95, "EOPNOTSUPP"}, {103, "ECONNABORTED"}, {107, "ENOTCONN"}, {110, "ETIMEDOUT"},
};

void say_result(long result) {
  if (!failed(result)) {
    if (result < 0 || result > 0x3fffffff)
      say("address");
    else
      say_number(result);
    return;
  }
  for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; ++i) {
    if (errors[i].number == -result) {
      say(errors[i].name);
      return;
    }
  }
  say("errno");
  say_number(-result);
}

void say_labelled(const char* label, long result) {
  say(" ");
  say(label);
  say("=");
  say_result(result);
}

const char* const var_fields[40] = {
    "xres",          "yres",           "xres_virtual",  "yres_virtual",    "xoffset",
    "yoffset",       "bits_per_pixel", "grayscale",     "red.offset",      "red.length",
    "red.msb_right", "green.offset",   "green.length",  "green.msb_right", "blue.offset",
    "blue.length",   "blue.msb_right", "transp.offset", "transp.length",   "transp.msb_right",
    "nonstd",        "activate",       "height",        "width",           "accel_flags",
    "pixclock",      "left_margin",    "right_margin",  "upper_margin",    "lower_margin",
    "hsync_len",     "vsync_len",      "sync",          "vmode",           "rotate",
    "colorspace",    "reserved.0",     "reserved.1",    "reserved.2",      "reserved.3",
};

static int say_near(uint32_t value, uint32_t base, const char* name) {
  const int32_t distance = (int32_t)(value - base);
  enum { near = 64 };

  if (distance < -near || distance > near) return 0;
  say(name);
  if (distance > 0) say("+");
  if (distance != 0) say_number(distance);
  return 1;
}

static void say_field(int field, uint32_t value) {
  const int horizontal = field == 0 || field == 2 || field == 4;
  const int vertical = field == 1 || field == 3 || field == 5;

  say(" ");
  say(var_fields[field]);
  say("=");
  if (value >= 64) {
    if (horizontal && (say_near(value, first_var.xres, "X") || say_near(value, 2 * first_var.xres, "2X")))
      return;
    if (vertical && (say_near(value, first_var.yres_virtual, "V") || say_near(value, first_var.yres, "Y")))
      return;
  }
  say_unsigned(value);
}

enum { first_of_timing = 25, last_of_timing = 32 };

void say_var(const char* prefix, const struct fb_var_screeninfo* var) {
  const uint32_t* values = (const uint32_t*)var;
  const uint32_t* expected = (const uint32_t*)&first_var;

  if (memcmp(var, &first_var, sizeof *var) == 0) return;
  say(prefix);
  /* The kernel's own emulation has no pixclock; where there is one, the rest of the timing is the mode's. */
  const int other_timing = var->pixclock != first_var.pixclock;
  if (other_timing) say(" timing");
  for (int i = 0; i < 40; ++i) {
    if (other_timing && i >= first_of_timing && i <= last_of_timing) continue;
    if (values[i] != expected[i]) say_field(i, values[i]);
  }
}

static void say_if(const char* name, unsigned long value, unsigned long expected) {
  if (value == expected) return;
  say(" ");
  say(name);
  say("=");
  say_unsigned((uint32_t)value);
}

void say_fix(const char* prefix, const struct fb_fix_screeninfo* fix) {
  const struct fb_fix_screeninfo* first = &first_fix;

  if (memcmp(fix, first, sizeof *fix) == 0) return;
  say(prefix);
  if (memcmp(fix->id, first->id, sizeof fix->id) != 0) say(" id");
  say_if("smem_start", fix->smem_start, first->smem_start);
  say_if("smem_len", fix->smem_len, first->smem_len);
  say_if("type", fix->type, first->type);
  say_if("type_aux", fix->type_aux, first->type_aux);
  say_if("visual", fix->visual, first->visual);
  say_if("xpanstep", fix->xpanstep, first->xpanstep);
  say_if("ypanstep", fix->ypanstep, first->ypanstep);
  say_if("ywrapstep", fix->ywrapstep, first->ywrapstep);
  say_if("line_length", fix->line_length, first->line_length);
  say_if("mmio_start", fix->mmio_start, first->mmio_start);
  say_if("mmio_len", fix->mmio_len, first->mmio_len);
  say_if("accel", fix->accel, first->accel);
  say_if("capabilities", fix->capabilities, first->capabilities);
}
