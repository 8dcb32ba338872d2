/* A typical program for an embedded display: it uses only the framebuffer device, maps it and draws. It is
   linked statically, so that no library can be preloaded. */

#include <fcntl.h>
#include <linux/fb.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct screen {
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  unsigned char* memory;
};

static uint32_t* pixel(const struct screen* screen, unsigned x, unsigned y) {
  return (uint32_t*)(void*)(screen->memory + (size_t)y * screen->fix.line_length) + x;
}

static uint32_t channel(double value) {
  return value <= 0 ? 0 : value >= 1 ? 255 : (uint32_t)(value * 255);
}

/* Draws a dial of a control panel: a face, a scale and a hand. */
static void draw_dial(const struct screen* screen, double center_x, double center_y, double radius,
                      double value) {
  const double pi = 3.14159265358979;
  const double start = 0.75 * pi;
  const double range = 1.5 * pi;
  for (unsigned y = 0; y < screen->var.yres; ++y) {
    for (unsigned x = 0; x < screen->var.xres; ++x) {
      const double dx = x + 0.5 - center_x;
      const double dy = y + 0.5 - center_y;
      const double distance = sqrt(dx * dx + dy * dy) / radius;
      if (distance > 1) continue;
      double angle = atan2(dy, dx) - start;
      while (angle < 0) angle += 2 * pi;
      const double part = angle / range;
      double red = 0.05 + 0.08 * (1 - distance);
      double green = 0.07 + 0.10 * (1 - distance);
      double blue = 0.12 + 0.16 * (1 - distance);
      if (distance > 0.96) {
        red = green = blue = 0.8;
      } else if (distance > 0.72 && distance < 0.86 && part <= 1) {
        const double lit = part <= value ? 1 : 0.2;
        red = lit * part;
        green = lit * (1 - 0.6 * part);
        blue = lit * 0.25;
        if (fmod(part * 20 + 0.04, 1) < 0.08) red = green = blue = 0.9;
      }
      const double hand = start + value * range;
      const double along = (dx * cos(hand) + dy * sin(hand)) / radius;
      const double across = fabs(-dx * sin(hand) + dy * cos(hand)) / radius;
      if ((along > 0 && along < 0.68 && across < 0.03 * (1 - along)) || distance < 0.08) {
        red = 0.95;
        green = 0.3;
        blue = 0.2;
      }
      *pixel(screen, x, y) = channel(red) << 16 | channel(green) << 8 | channel(blue);
    }
  }
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "/dev/fb0";
  struct screen screen;
  memset(&screen, 0, sizeof screen);
  const int device = open(path, O_RDWR);
  if (device < 0 || ioctl(device, FBIOGET_FSCREENINFO, &screen.fix) != 0 ||
      ioctl(device, FBIOGET_VSCREENINFO, &screen.var) != 0) {
    perror(path);
    return 1;
  }
  if (screen.var.bits_per_pixel != 32) {
    fprintf(stderr, "%s: only 32 bits per pixel, not %u\n", path, screen.var.bits_per_pixel);
    return 1;
  }
  screen.memory = mmap(NULL, screen.fix.smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
  if (screen.memory == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
  close(device); /* the mapping stays */
  const double width = screen.var.xres;
  const double height = screen.var.yres;
  draw_dial(&screen, width * 0.74, height * 0.30, height * 0.24, 0.72);
  draw_dial(&screen, width * 0.60, height * 0.70, height * 0.17, 0.31);
  draw_dial(&screen, width * 0.86, height * 0.72, height * 0.17, 0.93);
  printf("drew three dials on %s, %ux%u\n", path, screen.var.xres, screen.var.yres);
  return 0;
}
