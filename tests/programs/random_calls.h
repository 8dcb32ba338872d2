/*
 * The parts of random_calls: system calls on a framebuffer, chosen at random.
 */
#ifndef RANDOM_CALLS_H
#define RANDOM_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { page_size = 4096, most_files = 12, most_mappings = 6 };

/* A mapping of the framebuffer. Accesses inside the file must succeed, unless the protection is unknown. */
struct mapping {
  unsigned char* address; /* NULL if the slot is free */
  size_t size;
  off_t offset;
  int protection;
  int protection_unknown; /* true after a change of a part */
};

/* The counters and requests that all processes share. */
struct shared {
  uint64_t calls;
  uint64_t faults;     /* accesses that received the signal which they had to receive */
  uint64_t unexpected; /* accesses that received a signal although the bytes exist */
};

/* The state of this process. */
struct state {
  const char* const* device; /* paths of the framebuffer */
  unsigned devices;
  off_t memory_size; /* of the framebuffer */
  struct shared* shared;
  int kill_requests; /* pipe to the parent: each byte requests the end of a process */
  int file[most_files];
  struct mapping mapping[most_mappings];
  unsigned char* scratch; /* scratch_size bytes, followed by a page without access */
  unsigned char* read_only;
};

enum { scratch_size = 65536 };

extern struct state state;

/* Random numbers of this process. */
void seed_random(uint64_t seed);
uint32_t random_word(void);
/* Returns a number from 0 to limit - 1. */
uint32_t below(uint32_t limit);
/* Returns an offset or a size as programs use it, or an odd one. */
off_t random_offset(void);
size_t random_size(void);
/* Returns a descriptor of the framebuffer, or rarely one that is not open. */
int random_file(void);
/*
 * Returns a pointer for a system call: good, into a mapping of the framebuffer, read-only, unmapped or at the
 * end of the accessible bytes. Reduces *size so that a good pointer has so many bytes.
 */
void* random_pointer(size_t* size);

/* One random call of each kind. */
void call_on_file(void);
void call_between_files(void);
void call_for_events(void);
void call_ioctl(void);
void call_on_mapping(void);
void access_mapping(void);
void drop_all(void);

#endif
