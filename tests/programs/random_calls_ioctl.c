/*
 * Random ioctls on the framebuffer.
 */
#include <linux/fb.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "random_calls.h"

static const unsigned long numbers[] = {
    FBIOGET_VSCREENINFO, FBIOPUT_VSCREENINFO, FBIOGET_FSCREENINFO, FBIOGETCMAP,       FBIOPUTCMAP,
    FBIOPAN_DISPLAY,     FBIO_CURSOR,         FBIOGET_CON2FBMAP,   FBIOPUT_CON2FBMAP, FBIOBLANK,
    FBIOGET_VBLANK,      FBIO_ALLOC,          FBIO_FREE,           FBIOGET_GLYPH,     FBIOGET_HWCINFO,
    FBIOPUT_MODEINFO,    FBIOGET_DISPINFO,    FBIO_WAITFORVSYNC,
};
/* Numbers that the kernel's file systems handle themselves. */
static const unsigned long of_files[] = {FIONREAD, FIONBIO, FIGETBSZ, FIBMAP, FS_IOC_GETFLAGS};

/* Returns a copy of `structure` at a random pointer, or the pointer alone if it is not known to be writable.
 */
static void* place(const void* structure, size_t size) {
  size_t room = size;
  unsigned char* pointer = random_pointer(&room);

  if (pointer >= state.scratch && pointer + size <= state.scratch + scratch_size) {
    memcpy(pointer, structure, size);
  }
  return pointer;
}

static void* random_var(int file) {
  struct fb_var_screeninfo var;

  memset(&var, 0, sizeof var);
  if (below(4) != 0) ioctl(file, FBIOGET_VSCREENINFO, &var);
  for (uint32_t changes = below(4); changes > 0; changes--) {
    uint32_t* fields = (uint32_t*)&var;
    const uint32_t values[] = {0, 1, 8, 16, 32, 320, 480, 640, 800, UINT32_MAX, random_word()};
    fields[below(sizeof var / 4)] = values[below(sizeof values / sizeof values[0])];
  }
  return place(&var, sizeof var);
}

static void* random_map(void) {
  const uint32_t lengths[] = {0, 1, 16, 256, 257, 5000, UINT32_MAX};
  struct fb_cmap map = {.start = below(4) ? 0 : random_word(), .len = lengths[below(7)]};
  size_t size = 512;

  map.red = random_pointer(&size);
  map.green = random_pointer(&size);
  map.blue = random_pointer(&size);
  if (below(2)) map.transp = random_pointer(&size);
  return place(&map, sizeof map);
}

void call_ioctl(void) {
  const int file = random_file();
  const unsigned long number = numbers[below(sizeof numbers / sizeof numbers[0])];
  size_t size = 128;

  switch (below(12)) {
    case 0:
      ioctl(file, random_word(), random_pointer(&size));
      return;
    case 1:
      ioctl(file, 0x4600 + below(256), random_pointer(&size));
      return;
    case 2:
      ioctl(file, of_files[below(5)], random_pointer(&size));
      return;
    default:
      break;
  }
  if (number == FBIOPUT_VSCREENINFO || number == FBIOPAN_DISPLAY) {
    ioctl(file, number, random_var(file));
  } else if (number == FBIOGETCMAP || number == FBIOPUTCMAP) {
    ioctl(file, number, random_map());
  } else if (number == FBIOBLANK) {
    ioctl(file, number, (unsigned long)below(7));
  } else {
    ioctl(file, number, random_pointer(&size));
  }
}
