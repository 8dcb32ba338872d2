/*
 * Commands that use the framebuffer without a pause, and count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fbprogram.h"

static int ask_var(unsigned long step) {
  struct fb_var_screeninfo var;

  (void)step;
  return ioctl(fb.fd, FBIOGET_VSCREENINFO, &var) != 0 ? errno : 0;
}

static int wait_for_vsync(unsigned long step) {
  uint32_t crtc = 0;

  (void)step;
  return ioctl(fb.fd, FBIO_WAITFORVSYNC, &crtc) != 0 ? errno : 0;
}

static int pan(unsigned long step) {
  struct fb_var_screeninfo var = fb.var;

  var.yoffset = step & 1 ? var.yres_virtual - var.yres : 0;
  return ioctl(fb.fd, FBIOPAN_DISPLAY, &var) != 0 ? errno : 0;
}

static int write_line(unsigned long step) {
  static uint8_t line[4096];
  const size_t size = fb.fix.line_length < sizeof line ? fb.fix.line_length : sizeof line;
  const off_t offset = (off_t)(step % fb.var.yres * fb.fix.line_length);

  memset(line, (int)step, size);
  return pwrite(fb.fd, line, size, offset) == (ssize_t)size ? 0 : EIO;
}

static int store(unsigned long step) {
  *(volatile uint32_t*)(fb.map + step * 4096 % fb.map_bytes) = (uint32_t)step;
  return 0;
}

static const struct {
  const char* name;
  int (*step)(unsigned long);
} steps[] = {
    {"ioctl", ask_var}, {"vsync", wait_for_vsync}, {"pan", pan}, {"pwrite", write_line}, {"store", store}};

/* loop NAME FILE: repeats a step until another command waits or a step fails, and counts in the first eight
 * bytes of FILE. */
static void loop(const struct words* words, struct answer* answer) {
  const int file = words->count == 3 ? open(words->word[2], O_RDWR | O_CLOEXEC) : -1;
  volatile uint64_t* counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

  if (counter == MAP_FAILED) {
    answer->error = errno;
    return;
  }
  close(file);
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    if (!is_word(words, 1, steps[i].name)) continue;
    do {
      answer->error = steps[i].step((*counter)++);
    } while (answer->error == 0 && !command_waits());
    return;
  }
  answer->error = EINVAL;
}

int loop_command(const struct words* words, struct answer* answer) {
  if (!is_word(words, 0, "loop")) return 0;
  loop(words, answer);
  return 1;
}
