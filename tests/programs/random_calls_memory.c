/*
 * Random calls on mappings of the framebuffer, and accesses to them.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random_calls.h"

static sigjmp_buf fault;
static volatile sig_atomic_t fault_expected;
static unsigned char* volatile fault_address;

static void on_fault(int signal, siginfo_t* information, void* context) {
  (void)context;
  if (!fault_expected) _exit(128 + signal);
  fault_address = information->si_addr;
  siglongjmp(fault, signal);
}

static size_t round_up(size_t size) {
  return (size + page_size - 1) / page_size * page_size;
}

static void map_memory(void) {
  static const int protections[] = {PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
                                    PROT_NONE};
  struct mapping* mapping = &state.mapping[below(most_mappings)];
  const size_t size = below(2) ? (size_t)state.memory_size : 1 + below(200000);
  const off_t offset = below(2) ? 0 : (off_t)below((uint32_t)state.memory_size) / page_size * page_size;
  const int protection = protections[below(5)];
  const int flags = (below(8) ? MAP_SHARED : MAP_PRIVATE) | (below(4) ? 0 : MAP_POPULATE);

  if (mapping->address != NULL) munmap(mapping->address, mapping->size);
  mapping->address = NULL;
  void* address = mmap(NULL, size, protection, flags, random_file(), offset);
  if (address == MAP_FAILED) return;
  *mapping = (struct mapping){address, round_up(size), offset, protection, 0};
}

static void unmap(struct mapping* mapping) {
  const size_t part = below((uint32_t)(mapping->size / page_size)) * page_size;

  if (part == 0 || below(2)) {
    munmap(mapping->address, mapping->size);
    mapping->address = NULL;
  } else if (below(2)) {
    munmap(mapping->address + part, mapping->size - part);
    mapping->size = part;
  } else {
    munmap(mapping->address, part);
    mapping->address += part;
    mapping->size -= part;
    mapping->offset += (off_t)part;
  }
}

/* Changes the size, and perhaps the address. The part beyond the file receives SIGBUS. */
static void resize(struct mapping* mapping) {
  const size_t size = (1 + below((uint32_t)(mapping->size / page_size) + 64)) * page_size;
  void* address = mremap(mapping->address, mapping->size, size, below(4) ? MREMAP_MAYMOVE : 0);

  if (address == MAP_FAILED) return; /* as for a mapping of several protections */
  mapping->address = address;
  mapping->size = size;
}

static void protect(struct mapping* mapping) {
  static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};
  const int protection = protections[below(4)];

  if (below(2)) {
    if (mprotect(mapping->address, mapping->size, protection) != 0) return;
    mapping->protection = protection;
    mapping->protection_unknown = 0;
  } else {
    const size_t part = below((uint32_t)(mapping->size / page_size)) * page_size;
    mapping->protection_unknown = 1;
    mprotect(mapping->address + part, page_size, protection);
  }
}

static void advise(const struct mapping* mapping) {
  static const int advices[] = {MADV_NORMAL,        MADV_RANDOM,        MADV_SEQUENTIAL, MADV_WILLNEED,
                                MADV_DONTNEED,      MADV_REMOVE,        MADV_COLD,       MADV_PAGEOUT,
                                MADV_POPULATE_READ, MADV_POPULATE_WRITE};

  madvise(mapping->address, mapping->size, advices[below(10)]);
}

static void synchronize(const struct mapping* mapping) {
  static const int ways[] = {MS_SYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE, MS_INVALIDATE};

  msync(mapping->address, mapping->size, ways[below(4)]);
}

static void lock(const struct mapping* mapping) {
  const size_t size = mapping->size < 40 * page_size ? mapping->size : 40 * page_size;

  if (below(3)) {
    mlock(mapping->address, size);
  } else {
    munlock(mapping->address, mapping->size);
  }
}

void call_on_mapping(void) {
  struct mapping* mapping = &state.mapping[below(most_mappings)];

  if (mapping->address == NULL) {
    map_memory();
    return;
  }
  switch (below(12)) {
    case 0:
    case 1:
      map_memory();
      break;
    case 2:
      unmap(mapping);
      break;
    case 3:
    case 4:
      resize(mapping);
      break;
    case 5:
    case 6:
      protect(mapping);
      break;
    case 7:
    case 8:
      advise(mapping);
      break;
    case 9:
    case 10:
      synchronize(mapping);
      break;
    default:
      lock(mapping);
      break;
  }
}

/* Returns true if an access at `address` may receive this signal. */
static int is_fault_due(const struct mapping* mapping, int signal, const unsigned char* address, int stores) {
  const int wanted = stores ? PROT_WRITE : PROT_READ;

  if (signal == SIGBUS) return mapping->offset + (address - mapping->address) >= state.memory_size;
  return mapping->protection_unknown || (mapping->protection & wanted) == 0;
}

static void report_fault(const struct mapping* mapping, int signal, int stores) {
  fprintf(stderr, "signal %d at a %s of byte %lld, protection %d\n", signal, stores ? "store" : "load",
          (long long)(mapping->offset + (fault_address - mapping->address)), mapping->protection);
  __atomic_add_fetch(&state.shared->unexpected, 1, __ATOMIC_RELAXED);
}

/* Stores or loads. Returns the signal that ended it, or 0. */
static int touch(unsigned char* bytes, size_t size, int stores) {
  static volatile unsigned char sum;
  const int signal = sigsetjmp(fault, 1);

  if (signal == 0) {
    fault_expected = 1;
    if (stores) {
      memset(bytes, (int)random_word(), size);
    } else {
      for (size_t i = 0; i < size; i += 61) sum = (unsigned char)(sum + bytes[i]);
    }
  }
  fault_expected = 0;
  return signal;
}

void access_mapping(void) {
  const struct mapping* mapping = &state.mapping[below(most_mappings)];
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

  if (mapping->address == NULL) return;
  const size_t most = below(4) ? 64 : 50000;
  const size_t at = below((uint32_t)mapping->size);
  const size_t left = mapping->size - at;
  const int stores = below(3) != 0;

  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  const int signal = touch(mapping->address + at, left < most ? left : 1 + below((uint32_t)most), stores);
  if (signal == 0) return;
  if (is_fault_due(mapping, signal, fault_address, stores)) {
    __atomic_add_fetch(&state.shared->faults, 1, __ATOMIC_RELAXED);
  } else {
    report_fault(mapping, signal, stores);
  }
}

void drop_all(void) {
  for (int i = 0; i < most_mappings; i++) {
    struct mapping* mapping = &state.mapping[i];
    if (mapping->address != NULL) munmap(mapping->address, mapping->size);
    mapping->address = NULL;
  }
  for (int i = 0; i < most_files; i++) {
    if (state.file[i] >= 0) close(state.file[i]);
    state.file[i] = -1;
  }
}
