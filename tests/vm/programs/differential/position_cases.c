/* The position of an open file: lseek, read and write. */
#include "transfer.h"

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

void say_position(const char* label, long file) {
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

  for (unsigned i = 0; i < sizeof seeks / sizeof seeks[0]; ++i)
    run_case(do_seek, &seeks[i], "seek", seeks[i].name, 0, 0);
  for (unsigned i = 0; i < sizeof places / sizeof places[0]; ++i)
    run_case(read_and_write_at, &places[i], "position", "at", places[i].name, 0);
  run_case(through_dup, 0, "position", "of", "dup", 0);
  run_case(through_fork, 0, "position", "of", "fork", 0);
}
