/*
 * Commands that map the framebuffer, draw, and check pixels.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fbprogram.h"

uint32_t picture_pixel(uint32_t x, uint32_t y, uint32_t picture) {
  const uint32_t red = x * 3 + y + picture * 85;
  const uint32_t green = x + y * 5 + picture * 51;
  const uint32_t blue = (x ^ y) + picture * 17;

  return (red & 255) << 16 | (green & 255) << 8 | (blue & 255);
}

static volatile uint32_t* line_at(uint32_t y) {
  return (volatile uint32_t*)(fb.map + (size_t)y * fb.fix.line_length);
}

void draw_lines(uint32_t first, uint32_t count, uint32_t picture) {
  for (uint32_t y = first; y < first + count; y++) {
    volatile uint32_t* line = line_at(y);
    for (uint32_t x = 0; x < fb.var.xres; x++) line[x] = picture_pixel(x, y, picture);
  }
}

/* map r|w|rw BYTES|smem [MORE] [private] */
static void map_device(const struct words* words, struct answer* answer) {
  const int protection = is_word(words, 1, "r")   ? PROT_READ
                         : is_word(words, 1, "w") ? PROT_WRITE
                                                  : PROT_READ | PROT_WRITE;
  const int last = words->count - 1;
  const int private = is_word(words, last, "private");
  const long more = (long)number(words, 3, 0);
  const size_t base = is_word(words, 2, "smem") ? fb.fix.smem_len : number(words, 2, 0);
  const size_t bytes = (size_t)((long)base + more);
  void* map = mmap(NULL, bytes, protection, private ? MAP_PRIVATE : MAP_SHARED, fb.fd, 0);

  if (map == MAP_FAILED) {
    answer->error = errno;
    return;
  }
  fb.map = map;
  fb.map_bytes = bytes;
}

static void unmap_device(struct answer* answer) {
  answer->error = munmap((void*)fb.map, fb.map_bytes) != 0 ? errno : 0;
  fb.map = NULL;
}

struct pixels {
  const struct words* words;
  struct answer* answer;
};

static void touch_pixels(void* argument) {
  struct pixels* pixels = argument;
  const struct words* words = pixels->words;
  char* text = pixels->answer->text;
  const size_t size = sizeof pixels->answer->text;

  if (is_word(words, 0, "picture")) {
    draw_lines((uint32_t)number(words, 2, 0), (uint32_t)number(words, 3, fb.var.yres),
               (uint32_t)number(words, 1, 0));
  } else if (is_word(words, 0, "check")) {
    const uint32_t first = (uint32_t)number(words, 2, 0);
    const uint32_t count = (uint32_t)number(words, 3, fb.var.yres);
    for (uint32_t y = first; y < first + count; y++) {
      for (uint32_t x = 0; x < fb.var.xres; x++) {
        const uint32_t is = line_at(y)[x];
        if (is == picture_pixel(x, y, (uint32_t)number(words, 1, 0))) continue;
        snprintf(text, size, "but %u,%u is 0x%08x", x, y, is);
        return;
      }
    }
  } else if (is_word(words, 0, "rect")) {
    const uint32_t left = (uint32_t)number(words, 1, 0);
    const uint32_t top = (uint32_t)number(words, 2, 0);
    for (uint32_t y = top; y < top + number(words, 4, 0); y++) {
      for (uint32_t x = left; x < left + number(words, 3, 0); x++)
        line_at(y)[x] = (uint32_t)number(words, 5, 0);
    }
  } else if (is_word(words, 0, "poke")) {
    *(volatile uint32_t*)(fb.map + number(words, 1, 0)) = (uint32_t)number(words, 2, 0);
  } else {
    snprintf(text, size, "0x%08x", *(volatile uint32_t*)(fb.map + number(words, 1, 0)));
  }
}

int map_command(const struct words* words, struct answer* answer) {
  static const char* const touching[] = {"picture", "check", "rect", "poke", "peek"};
  struct pixels pixels = {words, answer};

  if (is_word(words, 0, "map")) {
    map_device(words, answer);
    return 1;
  }
  if (is_word(words, 0, "unmap")) {
    unmap_device(answer);
    return 1;
  }
  for (size_t i = 0; i < sizeof touching / sizeof touching[0]; i++) {
    if (!is_word(words, 0, touching[i])) continue;
    if (fb.map == NULL) {
      answer->error = EBADF;
    } else if (meets_sigbus(&touch_pixels, &pixels)) {
      answer->error_name = "SIGBUS";
    }
    return 1;
  }
  return 0;
}
