/*
 * Commands that keep the framebuffer busy.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fbprogram.h"

/* Draws the pictures N and N + 1 alternately until another command waits. Answers before it starts, and at
 * the end with the number of pictures. */
static void animate(const struct words* words, struct answer* answer) {
  const uint32_t picture = (uint32_t)number(words, 1, 0);
  const uint32_t first = (uint32_t)number(words, 2, 0);
  const uint32_t count = (uint32_t)number(words, 3, fb.var.yres);
  unsigned long drawn = 0;

  printf("ok drawing\n");
  fflush(stdout);
  do {
    draw_lines(first, count, picture + (uint32_t)(drawn++ & 1));
  } while (!command_waits());
  snprintf(answer->text, sizeof answer->text, "%lu", drawn);
}

/* Changes every page as fast as possible, forever. */
static void dirty(void* argument) {
  (void)argument;
  for (uint32_t value = 0;; value++) {
    for (size_t offset = 0; offset + 4 <= fb.map_bytes; offset += 4096)
      *(volatile uint32_t*)(fb.map + offset) = value;
  }
}

static void dirty_for_ever(struct answer* answer) {
  printf("ok drawing\n");
  fflush(stdout);
  /* After the mount is detached, an access to a page that is not in the page cache causes SIGBUS. */
  if (!meets_sigbus(&dirty, NULL)) return;
  answer->error_name = "SIGBUS";
}

struct caller {
  pthread_t thread;
  size_t offset;
  unsigned long count;
  int evict;
};

static atomic_int first_error;

/* Calls ioctls whose argument lies in the framebuffer itself, so that the kernel and the daemon must access
 * it. */
static void* call_inside(void* argument) {
  const struct caller* caller = argument;

  for (unsigned long i = 0; i < caller->count && first_error == 0; i++) {
    struct fb_var_screeninfo* inside = (struct fb_var_screeninfo*)(fb.map + caller->offset);
    if (caller->evict) posix_fadvise(fb.fd, 0, 0, POSIX_FADV_DONTNEED);
    int error = ioctl(fb.fd, FBIOGET_VSCREENINFO, inside) != 0 ? errno : 0;
    if (error == 0 && (inside->xres != fb.var.xres || inside->yres != fb.var.yres)) error = EBADMSG;
    if (error == 0 && ioctl(fb.fd, FBIOPAN_DISPLAY, inside) != 0) error = errno;
    if (error != 0) first_error = error;
  }
  return NULL;
}

/* ioctls-inside THREADS COUNT [evict] */
static void ioctls_inside(const struct words* words, struct answer* answer) {
  enum { most = 256 };
  static struct caller callers[most];
  const unsigned long threads = number(words, 1, 1) < most ? number(words, 1, 1) : most;

  first_error = 0;
  for (unsigned long i = 0; i < threads; i++) {
    /* Each argument has its own page; every second one crosses a page boundary. */
    callers[i].offset = i % (fb.fix.smem_len / 8192) * 8192 + (i % 2 == 0 ? 128 : 4096 - 80);
    callers[i].count = number(words, 2, 1);
    callers[i].evict = is_word(words, 3, "evict");
    answer->error = pthread_create(&callers[i].thread, NULL, &call_inside, &callers[i]);
    if (answer->error != 0) return;
  }
  for (unsigned long i = 0; i < threads; i++) pthread_join(callers[i].thread, NULL);
  answer->error = first_error;
}

int animate_command(const struct words* words, struct answer* answer) {
  if (is_word(words, 0, "animate")) {
    animate(words, answer);
  } else if (is_word(words, 0, "dirty")) {
    dirty_for_ever(answer);
  } else if (is_word(words, 0, "ioctls-inside")) {
    ioctls_inside(words, answer);
  } else {
    return 0;
  }
  return 1;
}
