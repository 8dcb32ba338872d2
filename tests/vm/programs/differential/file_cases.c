/* What the system does with any open file: flags, locks, polls, sizes, copies. */
#include "probe.h"

enum {
  o_creat = 0100,
  o_excl = 0200,
  o_noctty = 0400,
  o_trunc = 01000,
  o_append = 02000,
  o_nonblock = 04000,
  o_dsync = 010000,
  o_async = 020000,
  o_direct = 040000,
  o_largefile = 0100000,
  o_directory = 0200000,
  o_nofollow = 0400000,
  o_noatime = 01000000,
  o_cloexec = 02000000,
  o_sync = 04010000,
  o_path = 010000000,
  o_tmpfile = 020200000,
};

static void open_with(const void* argument) {
  const long file = open_device(*(const long*)argument);
  struct fb_var_screeninfo var;
  unsigned char byte = 0;

  if (file < 0) {
    say(" ");
    say_result(file);
    return;
  }
  will_write();
  say(" opened");
  say_labelled("read", sys_read(file, &byte, 1));
  if (byte != 0 && byte != content(0)) say(" wrong byte");
  say_labelled("write", sys_write(file, "", 1));
  say_labelled("get_var", sys_ioctl(file, FBIOGET_VSCREENINFO, &var));
  say_labelled("close", sys_close(file));
}

void open_cases(void) {
  static const struct {
    const char* name;
    long flags;
  } ways[] = {
      {"rdonly", rdonly},
      {"wronly", wronly},
      {"rdwr", rdwr},
      {"neither", 3},
      {"creat", rdwr | o_creat},
      {"creat_excl", rdwr | o_creat | o_excl},
      {"excl", rdwr | o_excl},
      {"noctty", rdwr | o_noctty},
      {"trunc", rdwr | o_trunc},
      {"trunc_wronly", wronly | o_trunc},
      {"creat_trunc", wronly | o_creat | o_trunc},
      {"append", rdwr | o_append},
      {"nonblock", rdwr | o_nonblock},
      {"dsync", rdwr | o_dsync},
      {"sync", rdwr | o_sync},
      {"async", rdwr | o_async},
      {"direct", rdwr | o_direct},
      {"largefile", rdwr | o_largefile},
      {"directory", rdonly | o_directory},
      {"nofollow", rdwr | o_nofollow},
      {"noatime", rdwr | o_noatime},
      {"cloexec", rdwr | o_cloexec},
      {"path", o_path},
      {"tmpfile", rdwr | o_tmpfile},
  };
  for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; ++i)
    run_case(open_with, &ways[i].flags, "open", ways[i].name, 0, 0);
}

struct poll_entry {
  int file;
  short events, seen;
};

static void do_poll(const void* argument) {
  struct poll_entry entry = {(int)open_device(*(const long*)argument), 0x7fff, 0};

  say_labelled("count", CALL3(__NR_poll, &entry, 1, 0));
  say(" events=");
  say_unsigned((uint16_t)entry.seen);
}

static void do_epoll(const void* argument) {
  (void)argument;
  struct {
    uint32_t events;
    uint64_t data;
  } __attribute__((packed)) event = {1, 0};
  const long poll = CALL1(__NR_epoll_create1, 0);

  say_labelled("add", CALL4(__NR_epoll_ctl, poll, 1, must_open(), &event));
}

static void do_select(const void* argument) {
  (void)argument;
  const long file = must_open();
  unsigned long read[16], write[16], except[16];
  long none[2] = {0, 0};

  memset(read, 0, sizeof read);
  memset(write, 0, sizeof write);
  memset(except, 0, sizeof except);
  read[0] = write[0] = except[0] = 1UL << file;
#ifdef __x86_64__
  say_labelled("count", CALL5(__NR_select, file + 1, read, write, except, none));
#else
  say_labelled("count", CALL5(__NR__newselect, file + 1, read, write, except, none));
#endif
  say_labelled("read", read[0] != 0);
  say_labelled("write", write[0] != 0);
  say_labelled("except", except[0] != 0);
}

static void get_flags(const void* argument) {
  (void)argument;
  const long file = open_device(rdwr | o_nonblock | o_append);

  say(" ");
  say_unsigned((uint32_t)CALL3(__NR_fcntl, file, 3, 0) & ~(uint32_t)o_largefile);
}

struct control {
  const char* name;
  long command, value;
};

static void do_fcntl(const void* argument) {
  const struct control* control = argument;
  static struct {
    short type, whence;
    long start, length;
    int process;
  } lock = {1, 0, 0, 0, 0};
  enum { f_setlk = 6 };

  say(" ");
  say_result(CALL3(__NR_fcntl, must_open(), control->command,
                   control->command == f_setlk ? (long)&lock : control->value));
}

static void control_cases(void) {
  static const struct control controls[] = {
      {"getfd", 1, 0},
      {"setfl_async", 4, o_async},
      {"setfl_direct", 4, o_direct},
      {"setlk", 6, 0},
      {"setown", 8, 0},
      {"setlease_read", 1024, 0},
      {"setlease_write", 1024, 1},
      {"notify", 1026, 1},
      {"setpipe_sz", 1031, page},
      {"getpipe_sz", 1032, 0},
      {"addseals", 1033, 1},
      {"getseals", 1034, 0},
  };
  run_case(get_flags, 0, "fcntl", "getfl", 0, 0);
  for (unsigned i = 0; i < sizeof controls / sizeof controls[0]; ++i)
    run_case(do_fcntl, &controls[i], "fcntl", controls[i].name, 0, 0);
}

static void do_flock(const void* argument) {
  (void)argument;
  const long file = must_open();

  say_labelled("shared", CALL2(__NR_flock, file, 1));
  say_labelled("exclusive", CALL2(__NR_flock, file, 2));
  say_labelled("second", CALL2(__NR_flock, must_open(), 2 | 4));
  say_labelled("unlock", CALL2(__NR_flock, file, 8));
}

static void do_truncate(const void* argument) {
  const long length = *(const long*)argument;
  const long file = must_open();
  unsigned char byte = 0;

  say_labelled("ftruncate", CALL2(__NR_ftruncate, file, length));
  say_labelled("rdonly", CALL2(__NR_ftruncate, open_device(rdonly), length));
  say_labelled("truncate", CALL2(__NR_truncate, device, length));
  say_labelled("read", sys_pread(file, &byte, 1, memory_end() - 1));
  if (byte != content(memory_end() - 1)) say(" wrong byte");
}

static void do_sync(const void* argument) {
  (void)argument;
  const long file = must_open();

  say_labelled("fsync", CALL1(__NR_fsync, file));
  say_labelled("fdatasync", CALL1(__NR_fdatasync, file));
  say_labelled("rdonly", CALL1(__NR_fsync, open_device(rdonly)));
  say_labelled("syncfs", CALL1(__NR_syncfs, file));
  say_labelled("path", CALL1(__NR_fsync, open_device(o_path)));
#ifdef __x86_64__
  say_labelled("range", CALL4(__NR_sync_file_range, file, 0, page, 2));
#endif
}

static void do_fallocate(const void* argument) {
  (void)argument;
#ifdef __x86_64__
  say_labelled("plain", CALL4(__NR_fallocate, must_open(), 0, 0, page));
  say_labelled("punch", CALL4(__NR_fallocate, must_open(), 3, 0, page));
#else
  say_labelled("plain", CALL6(__NR_fallocate, must_open(), 0, 0, 0, page, 0));
  say_labelled("punch", CALL6(__NR_fallocate, must_open(), 3, 0, 0, page, 0));
#endif
}

static void do_advise(const void* argument) {
  (void)argument;
#ifdef __x86_64__
  say_labelled("sequential", CALL4(__NR_fadvise64, must_open(), 0, 0, 2));
  say_labelled("dontneed", CALL4(__NR_fadvise64, must_open(), 0, 0, 4));
  say_labelled("readahead", CALL3(__NR_readahead, must_open(), 0, page));
#else
  say_labelled("sequential", CALL5(__NR_fadvise64, must_open(), 0, 0, 0, 2));
  say_labelled("dontneed", CALL5(__NR_fadvise64, must_open(), 0, 0, 0, 4));
  say_labelled("readahead", CALL4(__NR_readahead, must_open(), 0, 0, page));
#endif
}

static void do_splice(const void* argument) {
  const int writes = *(const int*)argument;
  const long file = must_open();
  int ends[2];

  will_write();
  CALL2(__NR_pipe2, ends, 0);
  sys_write(ends[1], "pixels", 6);
  say(" ");
  say_result(writes ? CALL6(__NR_splice, ends[0], 0, file, 0, 6, 0)
                    : CALL6(__NR_splice, file, 0, ends[1], 0, 6, 0));
}

static void do_sendfile(const void* argument) {
  (void)argument;
  const long file = must_open();
  const long memory = CALL2(__NR_memfd_create, "copy", 0);

  will_write();
  sys_write(memory, "pixels", 6);
  say_labelled("out", CALL4(__NR_sendfile, memory, file, 0, 6));
  sys_seek(memory, 0, seek_set);
  say_labelled("in", CALL4(__NR_sendfile, file, memory, 0, 6));
  sys_seek(memory, 0, seek_set);
  say_labelled("range", CALL6(__NR_copy_file_range, memory, 0, file, 0, 6, 0));
}

static void do_dup(const void* argument) {
  (void)argument;
  const long file = must_open();
  const long other = CALL1(__NR_dup, file);
  struct fb_var_screeninfo var;

  say_labelled("close", sys_close(file));
  say_labelled("closed", sys_ioctl(file, FBIOGET_VSCREENINFO, &var));
  say_labelled("dup", sys_ioctl(other, FBIOGET_VSCREENINFO, &var));
  say_labelled("close_dup", sys_close(other));
  say_labelled("closed_dup", sys_ioctl(other, FBIOGET_VSCREENINFO, &var));
}

static void do_fork(const void* argument) {
  (void)argument;
  const long file = must_open();
  const long child = CALL0(__NR_fork);
  struct fb_var_screeninfo var;
  int status = 0;

  if (child == 0) sys_exit(sys_ioctl(file, FBIOGET_VSCREENINFO, &var) == 0 ? 42 : 1);
  CALL4(__NR_wait4, child, &status, 0, 0);
  say_labelled("in_child", status >> 8);
  say_labelled("in_parent", sys_ioctl(file, FBIOGET_VSCREENINFO, &var));
}

static void many_opens(const void* argument) {
  (void)argument;
  long last = 0, opened = 0;

  while (opened < 200 && last >= 0) {
    last = open_device(rdwr);
    opened += last >= 0;
  }
  say_labelled("opened", opened);
}

/* The mode as the kernel's stat has it, in both ABIs: struct statx. */
static void do_stat(const void* argument) {
  (void)argument;
  static unsigned char bytes[256];
  const uint32_t* words = (const uint32_t*)bytes;

  say(" ");
  say_result(CALL5(__NR_statx, -100, device, 0, 0x7ff, bytes));
  const unsigned type = *(const uint16_t*)(bytes + 28) >> 12;
  say(type == 2 ? " character" : type == 8 ? " regular" : " other");
  say(" size=");
  const uint32_t size = words[10];
  if (size != 0 && size == memory_end())
    say("end");
  else
    say_unsigned(size);
  say_labelled("major", (long)words[32]);
  say_labelled("minor", (long)words[33]);
}

static void extended_attributes(const void* argument) {
  (void)argument;
  const long file = must_open();
  char value[16];

  say_labelled("get", CALL4(__NR_fgetxattr, file, "user.a", value, sizeof value));
  say_labelled("set", CALL5(__NR_fsetxattr, file, "user.a", "1", 1, 0));
}

static void change_mode(const void* argument) {
  (void)argument;
  const long file = must_open();

  say_labelled("fchmod", CALL2(__NR_fchmod, file, 0660));
  say_labelled("chown", CALL3(__NR_fchown, file, -1, -1));
}

void file_cases(void) {
  static const long ways[] = {rdwr, rdonly, wronly, o_path};
  run_case(do_poll, &ways[0], "poll", "rdwr", 0, 0);
  run_case(do_poll, &ways[1], "poll", "rdonly", 0, 0);
  run_case(do_poll, &ways[2], "poll", "wronly", 0, 0);
  run_case(do_poll, &ways[3], "poll", "path", 0, 0);
  run_case(do_epoll, 0, "epoll", 0, 0, 0);
  run_case(do_select, 0, "select", 0, 0, 0);
  control_cases();
  run_case(do_flock, 0, "flock", 0, 0, 0);
  const long lengths[] = {0, 1, (long)memory_end(), (long)memory_end() + 1, -1};
  static const char* const length_names[] = {"0", "1", "end", "end+1", "minus_one"};
  for (int i = 0; i < 5; ++i) run_case(do_truncate, &lengths[i], "truncate", length_names[i], 0, 0);
  run_case(do_sync, 0, "sync", 0, 0, 0);
  run_case(do_fallocate, 0, "fallocate", 0, 0, 0);
  run_case(do_advise, 0, "advise", 0, 0, 0);
  static const int reads = 0, writes = 1;
  run_case(do_splice, &reads, "splice", "read", 0, 0);
  run_case(do_splice, &writes, "splice", "write", 0, 0);
  run_case(do_sendfile, 0, "sendfile", 0, 0, 0);
  run_case(do_dup, 0, "dup", 0, 0, 0);
  run_case(do_fork, 0, "fork", 0, 0, 0);
  run_case(many_opens, 0, "open", "200_times", 0, 0);
  run_case(do_stat, 0, "stat", 0, 0, 0);
  run_case(extended_attributes, 0, "xattr", 0, 0, 0);
  run_case(change_mode, 0, "chmod", 0, 0, 0);
}
