/*
 * Commands that call ioctls.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "fbprogram.h"

static int wait_for_vsync(void) {
  uint32_t crtc = 0;

  return ioctl(fb.fd, FBIO_WAITFORVSYNC, &crtc) != 0 ? errno : 0;
}

static void ignore(int signal) {
  (void)signal;
}

/* Waits for vblanks while a timer sends signals, until a wait is interrupted. It retries, because the signals
 * may come between the waits. */
static void interrupted_vsync(struct answer* answer) {
  const struct itimerval every_millisecond = {{0, 1000}, {0, 1000}};
  const struct itimerval never = {{0, 0}, {0, 0}};
  struct sigaction action = {.sa_handler = ignore}; /* without SA_RESTART */

  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &every_millisecond, NULL);
  for (int i = 0; i < 1000 && answer->error == 0; i++) answer->error = wait_for_vsync();
  setitimer(ITIMER_REAL, &never, NULL);
}

static void set_virtual_height(uint32_t height, struct answer* answer) {
  struct fb_var_screeninfo wanted = fb.var;

  wanted.yres_virtual = height;
  answer->error = ioctl(fb.fd, FBIOPUT_VSCREENINFO, &wanted) != 0 ? errno : refresh();
}

static void pan(const struct words* words, struct answer* answer) {
  struct fb_var_screeninfo wanted = fb.var;

  wanted.xoffset = (uint32_t)number(words, 1, 0);
  wanted.yoffset = (uint32_t)number(words, 2, 0);
  answer->error = ioctl(fb.fd, FBIOPAN_DISPLAY, &wanted) != 0 ? errno : 0;
}

static void tell_var(struct answer* answer) {
  answer->error = refresh();
  snprintf(answer->text, sizeof answer->text, "%u %u %u %u %u %u %u", fb.var.xres, fb.var.yres,
           fb.var.xres_virtual, fb.var.yres_virtual, fb.var.xoffset, fb.var.yoffset, fb.var.bits_per_pixel);
}

static void tell_fix(struct answer* answer) {
  answer->error = refresh();
  snprintf(answer->text, sizeof answer->text, "%u %u", fb.fix.smem_len, fb.fix.line_length);
}

static void wait_for_vsyncs(unsigned long count, struct answer* answer) {
  while (count-- > 0 && answer->error == 0) answer->error = wait_for_vsync();
}

int ioctl_command(const struct words* words, struct answer* answer) {
  if (is_word(words, 0, "var")) {
    tell_var(answer);
  } else if (is_word(words, 0, "fix")) {
    tell_fix(answer);
  } else if (is_word(words, 0, "virtual")) {
    set_virtual_height((uint32_t)number(words, 1, 0), answer);
  } else if (is_word(words, 0, "pan")) {
    pan(words, answer);
  } else if (is_word(words, 0, "blank")) {
    answer->error = ioctl(fb.fd, FBIOBLANK, number(words, 1, 0)) != 0 ? errno : 0;
  } else if (is_word(words, 0, "vsync") && is_word(words, 1, "null")) {
    answer->error = ioctl(fb.fd, FBIO_WAITFORVSYNC, NULL) != 0 ? errno : 0;
  } else if (is_word(words, 0, "vsync")) {
    answer->error = wait_for_vsync();
  } else if (is_word(words, 0, "vsyncs")) {
    wait_for_vsyncs(number(words, 1, 1), answer);
  } else if (is_word(words, 0, "interrupted-vsync")) {
    interrupted_vsync(answer);
  } else {
    return 0;
  }
  return 1;
}
