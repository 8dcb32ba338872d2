#include "system.h"

#ifdef __x86_64__
long call(long number, long a, long b, long c, long d, long e, long f) {
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
long call(long number, long a, long b, long c, long d, long e, long f) {
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

long sys_open(const char* path, long flags) {
  return CALL3(__NR_open, path, flags, 0600);
}
long sys_close(long file) {
  return CALL1(__NR_close, file);
}
long sys_ioctl(long file, unsigned long command, const void* argument) {
  return CALL3(__NR_ioctl, file, command, argument);
}
long sys_read(long file, void* into, unsigned long count) {
  return CALL3(__NR_read, file, into, count);
}
long sys_write(long file, const void* from, unsigned long count) {
  return CALL3(__NR_write, file, from, count);
}

#ifdef __x86_64__
long sys_pread(long file, void* into, unsigned long count, int64_t position) {
  return CALL4(__NR_pread64, file, into, count, position);
}
long sys_pwrite(long file, const void* from, unsigned long count, int64_t position) {
  return CALL4(__NR_pwrite64, file, from, count, position);
}
int64_t sys_seek(long file, int64_t offset, long whence) {
  return CALL3(__NR_lseek, file, offset, whence);
}
long sys_map(unsigned long length, long protection, long flags, long file, unsigned long first_page) {
  return CALL6(__NR_mmap, 0, length, protection, flags, file, first_page * page);
}
#else
long sys_pread(long file, void* into, unsigned long count, int64_t position) {
  return CALL5(__NR_pread64, file, into, count, position, position >> 32);
}
long sys_pwrite(long file, const void* from, unsigned long count, int64_t position) {
  return CALL5(__NR_pwrite64, file, from, count, position, position >> 32);
}
int64_t sys_seek(long file, int64_t offset, long whence) {
  int64_t reached = 0;
  const long result = CALL5(__NR__llseek, file, offset >> 32, offset, &reached, whence);
  return result < 0 ? result : reached;
}
long sys_map(unsigned long length, long protection, long flags, long file, unsigned long first_page) {
  return CALL6(__NR_mmap2, 0, length, protection, flags, file, first_page);
}
#endif

void sys_exit(int status) {
  CALL1(__NR_exit_group, status);
  __builtin_unreachable();
}

char* pages(unsigned long count) {
  const unsigned long size = (count + 1) * page;
  const long at = sys_map(size, prot_read | prot_write, map_private | map_anonymous, -1, 0);
  if (failed(at)) sys_exit(99);
  CALL2(__NR_munmap, at + (long)(count * page), page);
  return (char*)at;
}

/* The compiler calls these three for assignments of structures and the like. */
void* memcpy(void* to, const void* from, size_t size) {
  for (size_t i = 0; i < size; ++i) ((char*)to)[i] = ((const char*)from)[i];
  return to;
}
void* memset(void* at, int value, size_t size) {
  for (size_t i = 0; i < size; ++i) ((char*)at)[i] = (char)value;
  return at;
}
int memcmp(const void* one, const void* other, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    const int difference = ((const unsigned char*)one)[i] - ((const unsigned char*)other)[i];
    if (difference != 0) return difference;
  }
  return 0;
}
size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length] != 0) ++length;
  return length;
}
