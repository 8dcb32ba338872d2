/* pread and pwrite. */
#include "transfer.h"

unsigned char* buffer;

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

void say_change(long file) {
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

void say_change_near(long file, int64_t position) {
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

void say_count(long result) {
  say(" ");
  if (!failed(result) && result > largest_answer)
    say(result == (long)memory_end() ? "end" : result == (long)memory_end() - 1 ? "end-1" : "many");
  else
    say_result(result);
}

void make_buffer(void) {
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
