/* mmap and what can be done to a mapping. */
#include "probe.h"

struct mapping {
  const char* name;
  unsigned long length;
  long protection, flags, open_flags;
  unsigned long first_page;
  /* Where to look, and -1 for nowhere. */
  long touch;
};

static void say_mapped(long result) {
  say(" ");
  if (failed(result))
    say_result(result);
  else
    say("mapped");
}

static long must_map(long file, unsigned long length) {
  const long at = sys_map(length, prot_read | prot_write, map_shared, file, 0);
  if (failed(at)) {
    say(" cannot map: ");
    say_result(at);
    sys_exit(0);
  }
  return at;
}

static void do_map(const void* argument) {
  const struct mapping* wanted = argument;
  const long file = open_device(wanted->open_flags);
  const long at = sys_map(wanted->length, wanted->protection, wanted->flags, file, wanted->first_page);

  say_mapped(at);
  if (failed(at) || wanted->touch < 0) return;
  const volatile unsigned char* bytes = (const volatile unsigned char*)at;
  const int right =
      bytes[wanted->touch] == content((uint32_t)(wanted->first_page * page) + (uint32_t)wanted->touch);
  say(right ? " right" : " wrong byte");
}

static void store(const void* argument) {
  const struct mapping* wanted = argument;
  const long file = open_device(wanted->open_flags);
  const long at = sys_map(wanted->length, wanted->protection, wanted->flags, file, wanted->first_page);
  unsigned char byte = 0;

  say_mapped(at);
  if (failed(at)) return;
  will_write();
  volatile unsigned char* bytes = (volatile unsigned char*)at;
  bytes[wanted->touch] = 0x99;
  say(" stored");
  sys_pread(must_open(), &byte, 1, wanted->touch);
  say(byte == 0x99 ? " seen by read" : " not seen by read");
}

static void unaligned_offset(const void* argument) {
  (void)argument;
#ifdef __x86_64__
  say_mapped(CALL6(__NR_mmap, 0, page, prot_read, map_shared, must_open(), 1));
#else
  const long arguments[6] = {0, page, prot_read, map_shared, must_open(), 1};
  say_mapped(CALL1(__NR_mmap, arguments));
#endif
}

static void write_is_seen(const void* argument) {
  (void)argument;
  const long file = must_open();
  volatile unsigned char* bytes = (volatile unsigned char*)must_map(file, memory_end());

  will_write();
  say(bytes[5] == content(5) ? " right" : " wrong");
  sys_pwrite(file, "\x77", 1, 5);
  say(bytes[5] == 0x77 ? " seen" : " not seen");
  bytes[memory_end() - 1] = 0x78;
  unsigned char byte = 0;
  sys_pread(file, &byte, 1, memory_end() - 1);
  say(byte == 0x78 ? " seen" : " not seen");
}

static void two_mappings(const void* argument) {
  (void)argument;
  volatile unsigned char* one = (volatile unsigned char*)must_map(must_open(), page);
  volatile unsigned char* other = (volatile unsigned char*)must_map(must_open(), page);

  will_write();
  one[3] = 0x66;
  say(other[3] == 0x66 ? " seen" : " not seen");
}

static void child_sees(const void* argument) {
  (void)argument;
  const long file = must_open();
  volatile unsigned char* bytes = (volatile unsigned char*)must_map(file, page);
  const long child = CALL0(__NR_fork);
  int status = 0;

  will_write();
  if (child == 0) {
    bytes[7] = 0x55;
    sys_exit(0);
  }
  CALL4(__NR_wait4, child, &status, 0, 0);
  say_labelled("status", status);
  say(bytes[7] == 0x55 ? " seen" : " not seen");
}

static void after_close(const void* argument) {
  (void)argument;
  const long file = must_open();
  volatile unsigned char* bytes = (volatile unsigned char*)must_map(file, page);
  unsigned char byte = 0;

  will_write();
  say_labelled("close", sys_close(file));
  bytes[9] = 0x44;
  sys_pread(must_open(), &byte, 1, 9);
  say(byte == 0x44 ? " seen" : " not seen");
}

static void do_protect(const void* argument) {
  const struct mapping* wanted = argument;
  const long at = sys_map(page, wanted->protection, wanted->flags, open_device(wanted->open_flags), 0);

  say_mapped(at);
  say_labelled("none", CALL3(__NR_mprotect, at, page, prot_none));
  say_labelled("read", CALL3(__NR_mprotect, at, page, prot_read));
  say_labelled("write", CALL3(__NR_mprotect, at, page, prot_read | prot_write));
  say_labelled("exec", CALL3(__NR_mprotect, at, page, prot_read | prot_exec));
}

static void store_in_read_only(const void* argument) {
  (void)argument;
  const long at = sys_map(page, prot_read, map_shared, must_open(), 0);

  *(volatile unsigned char*)at = 1;
  say(" stored");
}

struct remap {
  const char* name;
  unsigned long from, to;
  long flags;
};

static void do_remap(const void* argument) {
  const struct remap* wanted = argument;
  const long at = must_map(must_open(), 4 * page);

  say_mapped(CALL5(__NR_mremap, at, wanted->from, wanted->to, wanted->flags, 0));
}

static void remap_and_move(const void* argument) {
  (void)argument;
  enum { may_move = 1, to_there = 2 };
  const long at = must_map(must_open(), 2 * page);
  const long there = (long)pages(2);
  const long moved = CALL5(__NR_mremap, at, 2 * page, 2 * page, may_move | to_there, there);

  say_mapped(moved);
  if (failed(moved)) return;
  say(((volatile unsigned char*)moved)[page] == content(page) ? " right" : " wrong byte");
}

static void do_unmap(const void* argument) {
  (void)argument;
  const long at = must_map(must_open(), 4 * page);
  volatile unsigned char* bytes = (volatile unsigned char*)at;

  say_labelled("middle", CALL2(__NR_munmap, at + page, page));
  say(bytes[2 * page] == content(2 * page) ? " right" : " wrong byte");
  say_labelled("again", CALL2(__NR_munmap, at + page, page));
  say_labelled("unaligned", CALL2(__NR_munmap, at + 1, page));
  say_labelled("nothing", CALL2(__NR_munmap, at, 0));
  say_labelled("all", CALL2(__NR_munmap, at, 4 * page));
  say(" touch");
  (void)bytes[0];
}

static void do_msync(const void* argument) {
  (void)argument;
  const long at = must_map(must_open(), 2 * page);

  will_write();
  *(volatile unsigned char*)at = 0x33;
  say_labelled("sync", CALL3(__NR_msync, at, page, 4));
  say_labelled("async", CALL3(__NR_msync, at, page, 1));
  say_labelled("invalidate", CALL3(__NR_msync, at, page, 2));
  say_labelled("sync_and_async", CALL3(__NR_msync, at, page, 5));
  say_labelled("sync_invalidate", CALL3(__NR_msync, at, page, 6));
  say_labelled("none", CALL3(__NR_msync, at, page, 0));
  say_labelled("unknown", CALL3(__NR_msync, at, page, 8));
  say_labelled("unaligned", CALL3(__NR_msync, at + 1, page, 4));
  say_labelled("unmapped", CALL3(__NR_msync, 8 * page, page, 4));
  say(*(volatile unsigned char*)at == 0x33 ? " kept" : " lost");
}

static void do_madvise(const void* argument) {
  const long at = must_map(must_open(), 2 * page);

  will_write();
  *(volatile unsigned char*)at = 0x22;
  say(" ");
  say_result(CALL3(__NR_madvise, at, page, *(const long*)argument));
  say(*(volatile unsigned char*)at == 0x22 ? " kept" : " lost");
}

static void advice_cases(void) {
  static const struct {
    const char* name;
    long advice;
  } advices[] = {{"random", 1},    {"willneed", 3},  {"dontneed", 4},       {"free", 8},
                 {"remove", 9},    {"dontfork", 10}, {"dofork", 11},        {"mergeable", 12},
                 {"hugepage", 14}, {"dontdump", 16}, {"dodump", 17},        {"wipeonfork", 18},
                 {"cold", 20},     {"pageout", 21},  {"populate_read", 22}, {"populate_write", 23},
                 {"unknown", 99}};
  for (unsigned i = 0; i < sizeof advices / sizeof advices[0]; ++i)
    run_case(do_madvise, &advices[i].advice, "madvise", advices[i].name, 0, 0);
}

static void remap_cases(void) {
  enum { may_move = 1, dont_unmap = 4 };
  static const struct remap remaps[] = {
      {"shrink", 4 * page, 2 * page, 0},
      {"same", 4 * page, 4 * page, 0},
      {"grow", 4 * page, 5 * page, 0},
      {"grow_moving", 4 * page, 8 * page, may_move},
      {"grow_part", 2 * page, 3 * page, may_move},
      {"duplicate", 0, 2 * page, may_move},
      {"keep", 4 * page, 4 * page, may_move | dont_unmap},
  };
  for (unsigned i = 0; i < sizeof remaps / sizeof remaps[0]; ++i)
    run_case(do_remap, &remaps[i], "mremap", remaps[i].name, 0, 0);
}

static void do_lock(const void* argument) {
  (void)argument;
  const long at = must_map(must_open(), memory_end());

  say_labelled("mlock", CALL2(__NR_mlock, at, memory_end()));
  say_labelled("munlock", CALL2(__NR_munlock, at, memory_end()));
  say_labelled("mlockall", CALL1(__NR_mlockall, 3));
}

/* Arguments of system calls that lie in the framebuffer itself. */
static void argument_within(const void* argument) {
  (void)argument;
  const long file = must_open();
  const long at = must_map(file, memory_end());

  will_write();
  say_labelled("get_var", sys_ioctl(file, FBIOGET_VSCREENINFO, (void*)at));
  say(memcmp((const void*)at, &first_var, sizeof first_var) == 0 ? " right" : " wrong");
  say_labelled("put_var", sys_ioctl(file, FBIOPUT_VSCREENINFO, (void*)at));
  say_labelled("write", sys_pwrite(file, (void*)at, 160, 4096));
  say(memcmp((const void*)(at + 4096), &first_var, sizeof first_var) == 0 ? " right" : " wrong");
  say_labelled("read", sys_pread(file, (void*)(at + 16384), 160, 4096));
  say(memcmp((const void*)(at + 16384), &first_var, sizeof first_var) == 0 ? " right" : " wrong");
}

static void while_the_mode_changes(const void* argument) {
  (void)argument;
  const long file = must_open();
  volatile unsigned char* bytes = (volatile unsigned char*)must_map(file, memory_end());
  struct fb_var_screeninfo var = first_var;

  will_write();
  bytes[1] = 0x11;
  var.xres = 640;
  var.yres = 480;
  say_labelled("put", sys_ioctl(file, FBIOPUT_VSCREENINFO, &var));
  say(bytes[1] == 0x11 ? " kept" : " lost");
  bytes[memory_end() - 1] = 0x12;
  say(bytes[memory_end() - 1] == 0x12 ? " kept" : " lost");
}

static void drawn_and_reopened(const void* argument) {
  (void)argument;
  const long file = must_open();
  const long at = must_map(file, page);
  unsigned char byte = 0;

  will_write();
  *(volatile unsigned char*)(at + 11) = 0x10;
  CALL2(__NR_munmap, at, page);
  sys_close(file);
  sys_pread(must_open(), &byte, 1, 11);
  say(byte == 0x10 ? " kept" : " lost");
}

void map_cases(void) {
  const unsigned long end = memory_end(), end_pages = end / page;
  const long last = (long)end - 1;
  enum { both = prot_read | prot_write };
  const struct mapping mappings[] = {
      {"length_0", 0, both, map_shared, rdwr, 0, -1},
      {"length_1", 1, both, map_shared, rdwr, 0, 4095},
      {"length_end", end, both, map_shared, rdwr, 0, last},
      {"length_end-1", end - 1, both, map_shared, rdwr, 0, last},
      {"length_end+1", end + 1, both, map_shared, rdwr, 0, last},
      {"length_end+1_beyond", end + 1, both, map_shared, rdwr, 0, last + 1},
      {"length_twice", 2 * end, both, map_shared, rdwr, 0, last},
      {"length_twice_beyond", 2 * end, both, map_shared, rdwr, 0, 2 * last},
      {"length_1G", 1UL << 30, both, map_shared, rdwr, 0, last},
      {"length_negative", ~0UL, both, map_shared, rdwr, 0, -1},
      {"offset_page", page, both, map_shared, rdwr, 1, 0},
      {"offset_last_page", page, both, map_shared, rdwr, end_pages - 1, 4095},
      {"offset_last_two", 2 * page, both, map_shared, rdwr, end_pages - 1, 4096},
      {"offset_end", page, both, map_shared, rdwr, end_pages, -1},
      {"offset_end_touched", page, both, map_shared, rdwr, end_pages, 0},
      {"offset_end+1", page, both, map_shared, rdwr, end_pages + 1, -1},
      {"offset_2G", page, both, map_shared, rdwr, 0x80000, -1},
      {"offset_2G_touched", page, both, map_shared, rdwr, 0x80000, 0},
      {"offset_4G", page, both, map_shared, rdwr, 0x100000, -1},
      {"offset_huge", page, both, map_shared, rdwr, ~0UL >> 13, -1},
      {"whole_from_page", end, both, map_shared, rdwr, 1, 0},
      {"read", page, prot_read, map_shared, rdwr, 0, 0},
      {"write_only", page, prot_write, map_shared, rdwr, 0, 0},
      {"exec", page, prot_read | prot_exec, map_shared, rdwr, 0, 0},
      {"none", page, prot_none, map_shared, rdwr, 0, -1},
      {"none_touched", page, prot_none, map_shared, rdwr, 0, 0},
      {"private", page, both, map_private, rdwr, 0, 0},
      {"neither", page, both, 0, rdwr, 0, -1},
      {"validate", page, both, map_shared_validate, rdwr, 0, 0},
      {"validate_sync", page, both, map_shared_validate | map_sync, rdwr, 0, -1},
      {"validate_unknown", page, both, map_shared_validate | 0x4000000, rdwr, 0, -1},
      {"locked", page, both, map_shared | map_locked, rdwr, 0, 0},
      {"populate", end, both, map_shared | map_populate, rdwr, 0, last},
      {"populate_beyond", end + page, both, map_shared | map_populate, rdwr, 0, last},
      {"rdonly.read", page, prot_read, map_shared, rdonly, 0, 0},
      {"rdonly.write", page, both, map_shared, rdonly, 0, -1},
      {"rdonly.private_write", page, both, map_private, rdonly, 0, 0},
      {"wronly.read", page, prot_read, map_shared, wronly, 0, -1},
      {"wronly.write", page, prot_write, map_shared, wronly, 0, -1},
      {"wronly.private", page, prot_write, map_private, wronly, 0, -1},
      {"path", page, prot_read, map_shared, 010000000, 0, -1},
  };
  const struct mapping stores[] = {
      {"first", end, both, map_shared, rdwr, 0, 0},
      {"last", end, both, map_shared, rdwr, 0, last},
      {"beyond", end + page, both, map_shared, rdwr, 0, last + 1},
      {"private", end, both, map_private, rdwr, 0, 0},
      {"private_rdonly", end, both, map_private, rdonly, 0, 0},
  };
  const struct mapping protections[] = {
      {"rdwr", page, both, map_shared, rdwr, 0, 0},
      {"rdonly", page, prot_read, map_shared, rdonly, 0, 0},
      {"private_rdonly", page, prot_read, map_private, rdonly, 0, 0},
  };
  for (unsigned i = 0; i < sizeof mappings / sizeof mappings[0]; ++i)
    run_case(do_map, &mappings[i], "mmap", mappings[i].name, 0, 0);
  for (unsigned i = 0; i < sizeof stores / sizeof stores[0]; ++i)
    run_case(store, &stores[i], "store", stores[i].name, 0, 0);
  for (unsigned i = 0; i < sizeof protections / sizeof protections[0]; ++i)
    run_case(do_protect, &protections[i], "mprotect", protections[i].name, 0, 0);
  run_case(store_in_read_only, 0, "store", "in", "read_only", 0);
  run_case(unaligned_offset, 0, "mmap", "offset_unaligned", 0, 0);
  run_case(write_is_seen, 0, "mmap", "and", "write", 0);
  run_case(two_mappings, 0, "mmap", "two", 0, 0);
  run_case(child_sees, 0, "mmap", "fork", 0, 0);
  run_case(after_close, 0, "mmap", "after_close", 0, 0);
  remap_cases();
  run_case(remap_and_move, 0, "mremap", "move", 0, 0);
  run_case(do_unmap, 0, "munmap", "parts", 0, 0);
  run_case(do_msync, 0, "msync", "flags", 0, 0);
  advice_cases();
  run_case(do_lock, 0, "mlock", "whole", 0, 0);
  run_case(argument_within, 0, "mmap", "argument", "within", 0);
  run_case(while_the_mode_changes, 0, "mmap", "mode", "change", 0);
  run_case(drawn_and_reopened, 0, "mmap", "drawn", "reopened", 0);
}
