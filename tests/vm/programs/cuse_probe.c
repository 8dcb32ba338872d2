/* Looks at a framebuffer from both sides: cuse_probe FILE CHARACTER-DEVICE. The second is a node of the same
   device number that is not covered by the file. Prints a line for each thing that is as it should be, and
   fails at the first that is not. No C library, so that it can be built for 32 bits everywhere. */

#include <asm/unistd.h>

typedef unsigned long size_type;

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
#ifdef __x86_64__
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
#else
  /* Six arguments are only needed by mmap2, which takes the last one from ebp. */
  long arguments[2] = {number, f};
  (void)arguments;
  __asm__ volatile("pushl %%ebp\n\tmovl 4(%%eax), %%ebp\n\tmovl (%%eax), %%eax\n\tint $0x80\n\tpopl %%ebp"
                   : "=a"(result)
                   : "a"(arguments), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                   : "memory");
#endif
  return result;
}

static void print(const char* text) {
  size_type length = 0;
  while (text[length] != 0) ++length;
  call(__NR_write, 1, (long)text, (long)length, 0, 0, 0);
}

static void end(int status) {
  call(__NR_exit, status, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

static void check(int right, const char* what) {
  print(right ? "ok: " : "WRONG: ");
  print(what);
  print("\n");
  if (!right) end(1);
}

static long open_both(const char* path) {
  return call(__NR_open, (long)path, 2 /* O_RDWR */, 0, 0, 0, 0);
}
static long ioctl(long file, unsigned command, void* argument) {
  return call(__NR_ioctl, file, (long)command, (long)argument, 0, 0, 0);
}

enum { get_var = 0x4600, put_var = 0x4601, get_fix = 0x4602, get_map = 0x4604, wait_for_vsync = 0x40044620 };
enum { efault = -14, enodev = -19, enotty = -25, enospc = -28 };

int probe(const char* file_path, const char* device_path) {
  static unsigned var_of_file[40];
  static unsigned var_of_device[40];
  static unsigned char bytes[64];
  const long file = open_both(file_path);
  const long device = open_both(device_path);
  check(file >= 0 && device >= 0, "both ways open");
  check(ioctl(file, get_var, var_of_file) == 0 && ioctl(device, get_var, var_of_device) == 0,
        "GET_VSCREENINFO on both");
  int same = 1;
  for (int i = 0; i < 40; ++i) same = same && var_of_file[i] == var_of_device[i];
  check(same, "the same answer");
  check(ioctl(device, get_var, (void*)8) == efault, "a bad pointer is EFAULT");
  check(ioctl(device, 0x4f25, 0) == enotty, "an unknown ioctl is ENOTTY");
  check(ioctl(device, wait_for_vsync, 0) == 0, "WAITFORVSYNC with NULL on the character device");
  check(ioctl(file, wait_for_vsync, 0) == efault,
        "WAITFORVSYNC with NULL on the file is the kernel's EFAULT");
  check(ioctl(file, wait_for_vsync, bytes) == 0, "WAITFORVSYNC with a pointer on the file");

#ifdef __x86_64__
  const long mapped = call(__NR_mmap, 0, 4096, 3, 1 /* MAP_SHARED */, file, 0);
  const long refused = call(__NR_mmap, 0, 4096, 3, 1, device, 0);
#else
  const long mapped = call(__NR_mmap2, 0, 4096, 3, 1, file, 0);
  const long refused = call(__NR_mmap2, 0, 4096, 3, 1, device, 0);
#endif
  check(!(mapped < 0 && mapped > -4096), "the file maps");
  check(refused == enodev, "CUSE has no mmap");
  volatile unsigned char* pixels = (volatile unsigned char*)mapped;
  for (int i = 0; i < 16; ++i) pixels[i] = (unsigned char)(i + 1);
  check(call(__NR_read, device, (long)bytes, 8, 0, 0, 0) == 8 && bytes[0] == 1 && bytes[7] == 8,
        "a store in the mapping is read on the character device");
  check(call(__NR_read, device, (long)bytes, 8, 0, 0, 0) == 8 && bytes[0] == 9 && bytes[7] == 16,
        "the next read goes on where the last ended");
  check(call(__NR_write, device, (long)"pixels", 6, 0, 0, 0) == 6 && pixels[16] == 'p' && pixels[21] == 's',
        "a write goes on there too and shows in the mapping");
  const long second = open_both(device_path);
  check(call(__NR_read, second, (long)bytes, 4, 0, 0, 0) == 4 && bytes[0] == 1,
        "each open file has a position of its own");
  return 0;
}

#ifdef __x86_64__
__asm__(
    ".globl _start\n_start:\n\tmovq 16(%rsp), %rdi\n\tmovq 24(%rsp), %rsi\n\tandq $-16, %rsp\n\tcall "
    "begin\n");
#else
__asm__(
    ".globl _start\n_start:\n\tmovl 8(%esp), %eax\n\tmovl 12(%esp), %edx\n\tandl $-16, %esp\n\tsubl $8, "
    "%esp\n\tpushl "
    "%edx\n\tpushl %eax\n\tcall begin\n");
#endif

void begin(const char* file_path, const char* device_path) {
  end(probe(file_path, device_path));
}
