/* System calls and memory for a program without a C library, of 64 or 32 bits. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

/* Returns what the kernel returns: -errno where it failed. */
long call(long number, long a, long b, long c, long d, long e, long f);

#define CALL0(number) call(number, 0, 0, 0, 0, 0, 0)
#define CALL1(number, a) call(number, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(number, a, b) call(number, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(number, a, b, c) call(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(number, a, b, c, d) call(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL5(number, a, b, c, d, e) call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL6(number, a, b, c, d, e, f) \
  call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum { page = 4096 };

/* Values of the kernel's interface that no header gives without a C library. */
enum {
  rdonly = 0,
  wronly = 1,
  rdwr = 2,
  prot_none = 0,
  prot_read = 1,
  prot_write = 2,
  prot_exec = 4,
  map_shared = 1,
  map_private = 2,
  map_shared_validate = 3,
  map_fixed = 0x10,
  map_anonymous = 0x20,
  map_locked = 0x2000,
  map_populate = 0x8000,
  map_sync = 0x80000,
  seek_set = 0,
  seek_cur = 1,
  seek_end = 2,
  seek_data = 3,
  seek_hole = 4
};

static inline int failed(long result) {
  return result < 0 && result > -4096;
}

long sys_open(const char* path, long flags);
long sys_close(long file);
long sys_ioctl(long file, unsigned long command, const void* argument);
long sys_read(long file, void* into, unsigned long count);
long sys_write(long file, const void* from, unsigned long count);
long sys_pread(long file, void* into, unsigned long count, int64_t position);
long sys_pwrite(long file, const void* from, unsigned long count, int64_t position);
int64_t sys_seek(long file, int64_t offset, long whence);
long sys_map(unsigned long length, long protection, long flags, long file, unsigned long first_page);
void sys_exit(int status) __attribute__((noreturn));

/* Pages of our own, readable and writable. The page behind them is not there. */
char* pages(unsigned long count);

void* memcpy(void* to, const void* from, size_t size);
void* memset(void* at, int value, size_t size);
int memcmp(const void* one, const void* other, size_t size);
size_t length_of(const char* text);

#endif
