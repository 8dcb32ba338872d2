/*
 * Fills a framebuffer through mmap with a picture that another program can work out: see lab/pattern.py.
 * Prints the size, depth and channel layout that it found.  Usage: draw DEVICE
 *
 * It needs no C library, so a compiler without 32-bit libraries makes a 32-bit program of it, too:
 *     gcc -O2 -static -nostdlib -ffreestanding -fno-stack-protector [-m32] draw.c
 */
#include <linux/fb.h>
#include <stdint.h>

#define O_RDWR 2
#define PROT_READ_WRITE 3
#define MAP_SHARED 1

#ifdef __x86_64__
enum { SYS_write = 1, SYS_open = 2, SYS_mmap = 9, SYS_munmap = 11, SYS_ioctl = 16, SYS_exit = 60 };

static long call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;

  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall start\n");
#else
/* SYS_mmap is mmap2 here, whose offset counts pages: 0 is the same in both. */
enum { SYS_exit = 1, SYS_write = 4, SYS_open = 5, SYS_ioctl = 54, SYS_munmap = 91, SYS_mmap = 192 };

static long call(long number, long a, long b, long c, long d, long e, long f) {
  /* The sixth argument goes into ebp, which the compiler does not give away. */
  long arguments[7] = {number, a, b, c, d, e, f};
  long result;

  __asm__ volatile(
      "push %%ebp\n"
      "mov 4(%%eax), %%ebx\nmov 8(%%eax), %%ecx\nmov 12(%%eax), %%edx\n"
      "mov 16(%%eax), %%esi\nmov 20(%%eax), %%edi\nmov 24(%%eax), %%ebp\n"
      "mov (%%eax), %%eax\nint $0x80\npop %%ebp"
      : "=a"(result)
      : "a"(arguments)
      : "ebx", "ecx", "edx", "esi", "edi", "memory");
  return result;
}

__asm__(".globl _start\n_start: mov %esp, %eax\nand $-16, %esp\nsub $12, %esp\npush %eax\ncall start\n");
#endif

static char line[128];
static unsigned int used;

static void text(const char* string) {
  while (*string) line[used++] = *string++;
}

static void number(unsigned int value) {
  char digits[12];
  int count = 0;

  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  while (count) line[used++] = digits[--count];
}

static void field(const char* name, unsigned int value) {
  text(name);
  number(value);
}

static __attribute__((noreturn)) void end(int status) {
  line[used++] = '\n';
  call(SYS_write, status ? 2 : 1, (long)line, used, 0, 0, 0);
  call(SYS_exit, status, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

static void check(long result, const char* what) {
  if (result < 0 && result > -4096) {
    text(what);
    field(": error ", (unsigned int)-result);
    end(1);
  }
}

static uint32_t channel(const struct fb_bitfield* field, uint32_t value) {
  return (value & 255) >> (8 - field->length) << field->offset;
}

static uint32_t colour(const struct fb_var_screeninfo* var, uint32_t x, uint32_t y) {
  return channel(&var->red, x * 3 + y) | channel(&var->green, x + y * 5) | channel(&var->blue, x ^ y);
}

static struct fb_var_screeninfo var;
static struct fb_fix_screeninfo fix;

__attribute__((used, noreturn)) void start(long* stack) {
  const char* device = ((const char**)stack)[2];
  volatile uint8_t* pixels;
  long fd, memory;
  uint32_t x, y, value;

  if (stack[0] != 2) {
    text("usage: draw DEVICE");
    end(2);
  }
  fd = call(SYS_open, (long)device, O_RDWR, 0, 0, 0, 0);
  check(fd, "open");
  check(call(SYS_ioctl, fd, FBIOGET_VSCREENINFO, (long)&var, 0, 0, 0), "FBIOGET_VSCREENINFO");
  check(call(SYS_ioctl, fd, FBIOGET_FSCREENINFO, (long)&fix, 0, 0, 0), "FBIOGET_FSCREENINFO");
  memory = call(SYS_mmap, 0, (long)fix.smem_len, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  check(memory, "mmap");
  pixels = (volatile uint8_t*)memory;
  for (y = 0; y < var.yres; y++) {
    for (x = 0; x < var.xres; x++) {
      value = colour(&var, x, y);
      if (var.bits_per_pixel == 32)
        *(volatile uint32_t*)(pixels + y * fix.line_length + x * 4) = value;
      else if (var.bits_per_pixel == 16)
        *(volatile uint16_t*)(pixels + y * fix.line_length + x * 2) = (uint16_t)value;
    }
  }
  check(call(SYS_munmap, memory, (long)fix.smem_len, 0, 0, 0, 0), "munmap");
  number(var.xres);
  field(" ", var.yres);
  field(" ", var.bits_per_pixel);
  field(" ", var.red.length);
  field(" ", var.green.length);
  field(" ", var.blue.length);
  field(" ", (unsigned int)(8 * sizeof(long)));
  end(0);
}
