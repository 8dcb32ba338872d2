/*
 * Calls every framebuffer ioctl with every kind of bad pointer, and prints one line for each:
 *
 *     NAME KIND RESULT
 *
 * with RESULT 0 or the name of an errno. Usage: bad_pointers DEVICE
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { page = 4096 };

struct call {
  const char* name;
  unsigned long number;
  size_t bytes;
};

static const struct call calls[] = {
    {"FBIOGET_VSCREENINFO", FBIOGET_VSCREENINFO, sizeof(struct fb_var_screeninfo)},
    {"FBIOPUT_VSCREENINFO", FBIOPUT_VSCREENINFO, sizeof(struct fb_var_screeninfo)},
    {"FBIOGET_FSCREENINFO", FBIOGET_FSCREENINFO, sizeof(struct fb_fix_screeninfo)},
    {"FBIOPAN_DISPLAY", FBIOPAN_DISPLAY, sizeof(struct fb_var_screeninfo)},
    {"FBIOGETCMAP", FBIOGETCMAP, sizeof(struct fb_cmap)},
    {"FBIOPUTCMAP", FBIOPUTCMAP, sizeof(struct fb_cmap)},
    {"FBIO_WAITFORVSYNC", FBIO_WAITFORVSYNC, sizeof(uint32_t)},
};

static int device;

static void try_pointer(const struct call* call, const char* kind, const void* pointer) {
  const int failed = ioctl(device, call->number, pointer) != 0;

  printf("%s %s %s\n", call->name, kind, failed ? strerrorname_np(errno) : "0");
}

/* Tries colour maps that are valid except for one array. */
static void try_color_maps(const struct call* call, uint8_t* unmapped) {
  static const char* const kinds[] = {"red-unmapped", "green-unmapped", "blue-unmapped", "transp-unmapped"};

  for (int bad = 0; bad < 4; bad++) {
    uint16_t good[4][16] = {{0}};
    struct fb_cmap map = {.len = 16, .red = good[0], .green = good[1], .blue = good[2], .transp = good[3]};
    uint16_t** const arrays[] = {&map.red, &map.green, &map.blue, &map.transp};
    *arrays[bad] = (uint16_t*)(void*)unmapped;
    try_pointer(call, kinds[bad], &map);
  }
}

static void fill(const struct call* call, void* structure) {
  static uint16_t good[16];
  const struct fb_cmap map = {.len = 16, .red = good, .green = good, .blue = good};

  if (call->number == FBIOGETCMAP || call->number == FBIOPUTCMAP) {
    memcpy(structure, &map, sizeof map);
  } else if (call->number == FBIOPUT_VSCREENINFO || call->number == FBIOPAN_DISPLAY) {
    ioctl(device, FBIOGET_VSCREENINFO, structure);
  }
}

int main(int argc, char** argv) {
  device = argc == 2 ? open(argv[1], O_RDWR) : -1;
  if (device < 0) {
    perror("bad_pointers DEVICE");
    return 2;
  }
  /* Of two pages, only the first stays mapped. */
  uint8_t* memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || munmap(memory + page, page) != 0) return 2;

  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    const struct call* call = &calls[i];
    try_pointer(call, "null", NULL);
    try_pointer(call, "unmapped", memory + page);
    try_pointer(call, "kernel", (void*)~(uintptr_t)4095);
    if (call->bytes > 4) try_pointer(call, "half-mapped", memory + page - call->bytes / 2);

    fill(call, memory);
    mprotect(memory, page, PROT_READ);
    try_pointer(call, "read-only", memory);
    mprotect(memory, page, PROT_NONE);
    try_pointer(call, "no-access", memory);
    mprotect(memory, page, PROT_READ | PROT_WRITE);

    if (call->number == FBIOGETCMAP || call->number == FBIOPUTCMAP) try_color_maps(call, memory + page);
  }
  return 0;
}
