/* read, write and their relatives, and the position. */
#include "probe.h"

enum { largest_answer = 16384 };

static unsigned char* buffer;

struct transfer {
  int64_t position;
  unsigned long count;
};

struct change {
  uint32_t bytes, first;
  int right;
};

static void count_change(struct change* change, const uint32_t* words, uint32_t from, uint32_t size) {
  for (uint32_t i = 0; i < size; i += 4) {
    const uint32_t expected = content_word(from + i);
    if (words[i / 4] == expected) continue;
    for (unsigned byte = 0; byte < 4; ++byte) {
      const unsigned char difference = (unsigned char)((words[i / 4] ^ expected) >> byte * 8);
      if (difference == 0) continue;
      if (change->bytes++ == 0) change->first = from + i + byte;
      change->right = change->right && difference == 0xff;
    }
  }
}

/* How many bytes of the memory are not what they were, and whether they are what was sent, the complement. */
static void say_change(long file) {
  static uint32_t words[1 << 14];
  struct change change = {0, 0, 1};

  for (uint32_t at = 0; at < memory_end(); at += sizeof words) {
    const uint32_t left = memory_end() - at;
    const uint32_t size = left < sizeof words ? left : sizeof words;
    if (sys_pread(file, words, size, at) != (long)size) {
      say(" now unreadable");
      return;
    }
    count_change(&change, words, at, size);
  }
  if (change.bytes == 0) return;
  say(" changed=");
  if (change.bytes == memory_end())
    say("end");
  else if (change.bytes == memory_end() - 1)
    say("end-1");
  else
    say_unsigned(change.bytes);
  say(" from=");
  if (change.first + 8192 >= memory_end()) {
    say("end-");
    say_unsigned(memory_end() - change.first);
  } else {
    say_unsigned(change.first);
  }
  if (!change.right) say(" other values");
}

/* Only where the case may have written: the whole memory takes its time. */
static void say_change_near(long file, int64_t position) {
  static uint32_t words[largest_answer / 4];
  const uint32_t end = memory_end();
  struct change change = {0, 0, 1};
  uint32_t from = 0;

  if (position > (int64_t)(end - sizeof words / 2)) from = end - sizeof words;
  if (sys_pread(file, words, sizeof words, from) != sizeof words) {
    say(" now unreadable");
    return;
  }
  count_change(&change, words, from, sizeof words);
  if (change.bytes != 0) say_labelled("changed", (long)change.bytes);
  if (!change.right) say(" other values");
}

static void say_count(long result) {
  say(" ");
  if (!failed(result) && result > largest_answer)
    say(result == (long)memory_end() ? "end" : result == (long)memory_end() - 1 ? "end-1" : "many");
  else
    say_result(result);
}

/* A buffer for the whole memory and more. */
static void make_buffer(void) {
  const uint32_t size = memory_end() + 16 * page;
  buffer = (unsigned char*)pages(size / page);
}

static void say_read(long result, int64_t position) {
  int right = 1;

  say_count(result);
  if (failed(result)) return;
  for (long i = 0; i < result; ++i) right = right && buffer[i] == content((uint32_t)(position + i));
  if (!right) say(" wrong bytes");
  /* Only the start was filled. */
  if (result + 1 < largest_answer && (buffer[result] != 0x5a || buffer[result + 1] != 0x5a))
    say(" written beyond");
}

static void do_pread(const void* argument) {
  const struct transfer* wanted = argument;
  const long file = must_open();

  make_buffer();
  memset(buffer, 0x5a, largest_answer);
  say_read(sys_pread(file, buffer, wanted->count, wanted->position), wanted->position);
  if (sys_seek(file, 0, seek_cur) != 0) say(" position moved");
}

static void do_pwrite(const void* argument) {
  const struct transfer* wanted = argument;
  const long file = must_open();
  const int everywhere =
      wanted->count > largest_answer && wanted->position >= 0 && wanted->position < memory_end();
  const unsigned long filled = everywhere ? memory_end() : largest_answer;

  make_buffer();
  for (unsigned long i = 0; i < filled; ++i)
    buffer[i] = (unsigned char)~content((uint32_t)(wanted->position + (long)i));
  if (everywhere)
    will_write_everywhere();
  else
    will_write();
  say_count(sys_pwrite(file, buffer, wanted->count, wanted->position));
  if (everywhere)
    say_change(file);
  else
    say_change_near(file, wanted->position);
  if (sys_seek(file, 0, seek_cur) != 0) say(" position moved");
}

void transfer_cases(void) {
  const int64_t end = memory_end();
  const struct {
    const char* name;
    int64_t value;
  } positions[] = {
      {"0", 0},
      {"1", 1},
      {"end-4096", end - page},
      {"end-1", end - 1},
      {"end", end},
      {"end+1", end + 1},
      {"end+4096", end + page},
      {"2G-1", 0x7fffffff},
      {"2G", 0x80000000},
      {"4G", (int64_t)1 << 32},
      {"8E-1", (int64_t)(~(uint64_t)0 >> 1)},
      {"minus_one", -1},
  };
  const struct {
    const char* name;
    unsigned long value;
  } counts[] = {{"0", 0},          {"1", 1},           {"2", 2},
                {"4096", page},    {"8192", 2 * page}, {"huge", 0x7fffffff},
                {"negative", ~0UL}};

  for (unsigned i = 0; i < sizeof positions / sizeof positions[0]; ++i) {
    for (unsigned j = 0; j < sizeof counts / sizeof counts[0]; ++j) {
      const struct transfer transfer = {positions[i].value, counts[j].value};
      run_case(do_pread, &transfer, "pread", "at", positions[i].name, counts[j].name);
      run_case(do_pwrite, &transfer, "pwrite", "at", positions[i].name, counts[j].name);
    }
  }
}

/* The position of an open file */

static void say_place(const char* label, int64_t at) {
  const int64_t distance = at - memory_end();

  say(" ");
  say(label);
  say("=");
  if (at < 0) {
    say_result((long)at);
  } else if (distance >= -2 * page && distance <= 2 * page) {
    say("end");
    if (distance > 0) say("+");
    if (distance != 0) say_number((long)distance);
  } else {
    if (at >> 32 != 0) {
      say_unsigned((uint32_t)(at >> 32));
      say(":");
    }
    say_unsigned((uint32_t)at);
  }
}

static void say_position(const char* label, long file) {
  say_place(label, sys_seek(file, 0, seek_cur));
}

struct seek {
  const char* name;
  int64_t offset;
  long whence;
};

static void do_seek(const void* argument) {
  const struct seek* seek = argument;
  const long file = must_open();

  say_place("at", sys_seek(file, seek->offset, seek->whence));
  say_position("now", file);
}

struct at {
  const char* name;
  int64_t position;
};

/* A read and a write of eight bytes from a position. */
static void read_and_write_at(const void* argument) {
  const struct at* at = argument;
  const long file = must_open();
  unsigned char bytes[8];

  if (sys_seek(file, at->position, seek_set) < 0) say(" no seek");
  say_labelled("read", sys_read(file, bytes, sizeof bytes));
  say_position("then", file);
  sys_seek(file, at->position, seek_set);
  for (int i = 0; i < 8; ++i) bytes[i] = (unsigned char)~content((uint32_t)at->position + (uint32_t)i);
  will_write();
  say_labelled("write", sys_write(file, bytes, sizeof bytes));
  say_position("then", file);
  say_change_near(file, at->position);
}

static void through_dup(const void* argument) {
  (void)argument;
  const long file = must_open();
  const long other = CALL1(__NR_dup, file);
  unsigned char byte;

  say_labelled("read", sys_read(file, &byte, 1));
  say_position("of_dup", other);
  say_labelled("read", sys_read(other, &byte, 1));
  say_position("of_first", file);
  say_position("of_own_open", must_open());
}

static void through_fork(const void* argument) {
  (void)argument;
  const long file = must_open();
  int status = 0;
  const long child = CALL0(__NR_fork);
  unsigned char byte;

  if (child == 0) {
    sys_read(file, &byte, 1);
    sys_exit(0);
  }
  CALL4(__NR_wait4, child, &status, 0, 0);
  say_position("position", file);
}

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

static void vector_cases(void) {
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

/* A buffer of two pages, the second of which is not there. */
static void half_mapped(const void* argument) {
  const int writes = *(const int*)argument;
  const long file = must_open();
  unsigned char* bytes = (unsigned char*)pages(1);

  for (unsigned i = 0; i < page; ++i) bytes[i] = (unsigned char)~content(i);
  will_write();
  say(" ");
  say_result(writes ? sys_write(file, bytes, 2 * page) : sys_read(file, bytes, 2 * page));
  say_position("then", file);
  say_change_near(file, 0);
}

static void unmapped(const void* argument) {
  const int writes = *(const int*)argument;
  const long file = must_open();

  /* The kernel's own emulation clears what it could not copy. */
  will_write_everywhere();
  say_labelled("null", writes ? sys_write(file, 0, 4) : sys_read(file, 0, 4));
  say_labelled("null_0", writes ? sys_write(file, 0, 0) : sys_read(file, 0, 0));
  say_labelled("low", writes ? sys_write(file, (void*)8, 4) : sys_read(file, (void*)8, 4));
  say_labelled("large", writes ? sys_write(file, (void*)8, 0x10000) : sys_read(file, (void*)8, 0x10000));
  say_position("then", file);
  sys_seek(file, memory_end(), seek_set);
  say_labelled("at_end", writes ? sys_write(file, (void*)8, 4) : sys_read(file, (void*)8, 4));
  say_change_near(file, 0);
}

static void read_into_read_only(const void* argument) {
  (void)argument;
  const long file = must_open();
  unsigned char* bytes = (unsigned char*)pages(1);

  CALL3(__NR_mprotect, bytes, page, prot_read);
  say(" ");
  say_result(sys_read(file, bytes, 16));
}

static void append(const void* argument) {
  (void)argument;
  const long file = open_device(rdwr | 02000);

  will_write();
  say_labelled("write", sys_write(file, "pixels", 6));
  say_position("then", file);
  say_labelled("write", sys_write(file, "pixels", 6));
  say_labelled("pwrite", sys_pwrite(file, "pixels", 6, 0));
}

static void not_allowed(const void* argument) {
  (void)argument;
  unsigned char byte = 0;
  const long reader = open_device(rdonly), writer = open_device(wronly);

  say_labelled("read", sys_read(writer, &byte, 1));
  say_labelled("pread", sys_pread(writer, &byte, 1, 0));
  say_labelled("write", sys_write(reader, &byte, 1));
  say_labelled("pwrite", sys_pwrite(reader, &byte, 1, 0));
  say_labelled("write_0", sys_write(reader, &byte, 0));
}

/* The whole memory and a byte, at once. */
static void whole(const void* argument) {
  const int writes = *(const int*)argument;
  const long file = must_open();
  const uint32_t end = memory_end();

  make_buffer();
  for (uint32_t i = 0; i < end; i += 4) *(uint32_t*)(buffer + i) = ~content_word(i);
  will_write_everywhere();
  say_count(writes ? sys_write(file, buffer, end + 1) : sys_read(file, buffer, end + 1));
  say_position("then", file);
  say_count(writes ? sys_write(file, buffer, 1) : sys_read(file, buffer, 1));
  say_change(file);
}

void position_cases(void) {
  const int64_t end = memory_end();
  const struct seek seeks[] = {
      {"set.0", 0, seek_set},
      {"set.1", 1, seek_set},
      {"set.end", end, seek_set},
      {"set.end+1", end + 1, seek_set},
      {"set.2G", 0x80000000, seek_set},
      {"set.4G", (int64_t)1 << 32, seek_set},
      {"set.8E-1", (int64_t)(~(uint64_t)0 >> 1), seek_set},
      {"set.minus_one", -1, seek_set},
      {"cur.minus_one", -1, seek_cur},
      {"cur.one", 1, seek_cur},
      {"end.0", 0, seek_end},
      {"end.minus_one", -1, seek_end},
      {"end.one", 1, seek_end},
      {"data.0", 0, seek_data},
      {"data.end", end, seek_data},
      {"hole.0", 0, seek_hole},
      {"hole.end", end, seek_hole},
      {"unknown.0", 0, 5},
      {"unknown.negative", 0, -1},
  };
  const struct at places[] = {{"0", 0},           {"1", 1},     {"end-8", end - 8}, {"end-4", end - 4},
                              {"end-1", end - 1}, {"end", end}, {"end+1", end + 1}};
  static const int reads = 0, writes = 1;

  for (unsigned i = 0; i < sizeof seeks / sizeof seeks[0]; ++i)
    run_case(do_seek, &seeks[i], "seek", seeks[i].name, 0, 0);
  for (unsigned i = 0; i < sizeof places / sizeof places[0]; ++i)
    run_case(read_and_write_at, &places[i], "position", "at", places[i].name, 0);
  run_case(through_dup, 0, "position", "of", "dup", 0);
  run_case(through_fork, 0, "position", "of", "fork", 0);
  vector_cases();
  run_case(half_mapped, &reads, "read", "half_mapped", 0, 0);
  run_case(half_mapped, &writes, "write", "half_mapped", 0, 0);
  run_case(unmapped, &reads, "read", "unmapped", 0, 0);
  run_case(unmapped, &writes, "write", "unmapped", 0, 0);
  run_case(read_into_read_only, 0, "read", "into", "read_only", 0);
  run_case(append, 0, "write", "append", 0, 0);
  run_case(not_allowed, 0, "transfer", "not_allowed", 0, 0);
  run_case(whole, &reads, "read", "whole", 0, 0);
  run_case(whole, &writes, "write", "whole", 0, 0);
}
