/* readv, writev, preadv2 and pwritev2. */
#include "transfer.h"

struct segment {
  void* base;
  unsigned long length;
};

struct flag {
  int writes;
  long bits;
};

/* Three segments of four bytes, one of which is special. */
struct vector {
  const char* name;
  int64_t position;
  long count;
  void* second;
  unsigned long second_length;
};

static void do_vector(const struct vector* vector, long number) {
  const long file = must_open();
  static unsigned char bytes[48];
  const struct segment segments[3] = {
      {bytes, 4},
      {vector->second != 0 ? vector->second : bytes + 16, vector->second_length},
      {bytes + 32, 4}};

  /* FUSE in 7.x copies the bytes of present pages before it checks the other segments, so this page must be
     present. */
  memset(bytes, 0x5a, sizeof bytes);
  will_write();
  sys_seek(file, vector->position, seek_set);
  say(" ");
  say_result(CALL3(number, file, segments, vector->count));
  say_position("then", file);
}

static void do_readv(const void* argument) {
  do_vector(argument, __NR_readv);
}
static void do_writev(const void* argument) {
  do_vector(argument, __NR_writev);
}

static void vector_with_flag(const void* argument) {
  const struct flag* flag = argument;
  const long file = must_open();
  static unsigned char bytes[16];
  const struct segment segment = {bytes, 4};

  will_write();
  say(" ");
  say_result(CALL6(flag->writes ? __NR_pwritev2 : __NR_preadv2, file, &segment, 1, 0, 0, flag->bits));
}

void vector_cases(void) {
  const int64_t end = memory_end();
  const struct vector vectors[] = {
      {"three", 0, 3, 0, 4},
      {"none", 0, 0, 0, 4},
      {"negative", 0, -1, 0, 4},
      {"too_many", 0, 1025, 0, 4},
      {"empty_one", 0, 3, 0, 0},
      {"huge_one", 0, 3, 0, ~0UL},
      {"over_the_end", end - 6, 3, 0, 4},
      {"to_the_end", end - 4, 3, 0, 4},
      {"at_the_end", end, 3, 0, 4},
      {"beyond_the_end", end + 1, 3, 0, 4},
      {"bad_one", 0, 3, (void*)8, 4},
  };
  static const struct {
    const char* name;
    long bits;
  } flags[] = {{"none", 0},   {"hipri", 1},   {"dsync", 2},        {"sync", 4},
               {"nowait", 8}, {"append", 16}, {"unknown", 1 << 30}};

  for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; ++i) {
    run_case(do_readv, &vectors[i], "readv", vectors[i].name, 0, 0);
    run_case(do_writev, &vectors[i], "writev", vectors[i].name, 0, 0);
  }
  for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; ++i) {
    const struct flag reads = {0, flags[i].bits}, writes = {1, flags[i].bits};
    run_case(vector_with_flag, &reads, "preadv2", flags[i].name, 0, 0);
    run_case(vector_with_flag, &writes, "pwritev2", flags[i].name, 0, 0);
  }
}
