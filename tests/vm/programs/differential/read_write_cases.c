/* read and write with unusual buffers and files. */
#include "transfer.h"

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

void read_write_cases(void) {
  static const int reads = 0, writes = 1;

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
