/*
 * Makes random system calls on a framebuffer with many processes at once.
 *
 *     random_calls SECONDS PROCESSES SEED DEVICE...
 *
 * It prints its seed (0 chooses one), and at the end the number of calls. A process may request that another
 * one is killed; killed processes are replaced. The exit status is 0 if every process ended and no access to
 * a mapping failed although its bytes exist, 1 if one failed, 2 for a wrong use, and 3 if a process does not
 * end when it is killed. It ends at the latest 30 seconds after SECONDS.
 */
#include "random_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most_processes = 200, end_seconds = 30 };

struct state state;

static uint64_t random_state;

void seed_random(uint64_t seed) {
  random_state = seed * 0x9e3779b97f4a7c15U + 0x1234567;
  if (random_state == 0) random_state = 1;
}

/* The generator xorshift64*. */
uint32_t random_word(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)((random_state * 0x2545f4914f6cdd1dU) >> 32);
}

uint32_t below(uint32_t limit) {
  return (uint32_t)(((uint64_t)random_word() * limit) >> 32);
}

off_t random_offset(void) {
  const off_t size = state.memory_size;
  const off_t special[] = {0, size, size - 1, size + 1, size + page_size, -1, 1L << 31, 1L << 32, INT64_MAX};

  if (below(8) == 0) return special[below(sizeof special / sizeof special[0])];
  const off_t inside = (off_t)below((uint32_t)size);
  return below(2) ? inside : inside / page_size * page_size;
}

size_t random_size(void) {
  const size_t special[] = {0,       1, 3, page_size, page_size + 1, (size_t)state.memory_size, SIZE_MAX / 2,
                            SIZE_MAX};

  if (below(8) == 0) return special[below(sizeof special / sizeof special[0])];
  return below(4) ? below(5000) : below(300000);
}

int random_file(void) {
  if (below(50) == 0) return (int)below(3) - 1000;
  return state.file[below(most_files)];
}

static struct mapping* used_mapping(void) {
  struct mapping* mapping = &state.mapping[below(most_mappings)];

  return mapping->address != NULL ? mapping : NULL;
}

void* random_pointer(size_t* size) {
  const struct mapping* mapping = used_mapping();
  const size_t room = below(scratch_size);

  switch (below(12)) {
    case 0:
      return NULL;
    case 1:
      return (void*)~(uintptr_t)(page_size - 1); /* in the kernel */
    case 2:
      return state.scratch + scratch_size + 16; /* no access */
    case 3:
      return state.scratch + scratch_size - below(40); /* ends too early */
    case 4:
      return state.read_only + below(page_size / 2);
    case 5:
    case 6:
    case 7:
      if (mapping == NULL || mapping->size < page_size) break;
      const size_t at = below((uint32_t)(mapping->size - 1024));
      if (*size > mapping->size - at) *size = mapping->size - at;
      return mapping->address + at;
    default:
      break;
  }
  if (*size > scratch_size - room) *size = scratch_size - room;
  return state.scratch + room;
}

static void on_alarm(int signal) {
  (void)signal;
}

/* Makes signals end the waits of this process at times that are no multiple of a frame. */
static void start_alarms(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  const struct itimerval interval = {{0, 7000 + (int)below(40000)}, {0, 5000}};

  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &interval, NULL);
}

static void call_once(void);

/* Runs some calls in a copy of this process, which ends with it. */
static void call_in_child(void) {
  const uint32_t seed = random_word();
  const pid_t parent = getpid();
  const pid_t child = fork();

  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    seed_random(seed);
    start_alarms(); /* A child inherits no timer. */
    for (unsigned left = below(60); left > 0; left--) call_once();
    _exit(0);
  }
  if (child < 0) return;
  if (below(4) == 0) kill(child, SIGKILL);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
}

static void call_once(void) {
  const uint32_t kind = below(100);

  __atomic_add_fetch(&state.shared->calls, 1, __ATOMIC_RELAXED);
  if (kind < 30) {
    call_on_file();
  } else if (kind < 36) {
    call_between_files();
  } else if (kind < 42) {
    call_for_events();
  } else if (kind < 60) {
    call_ioctl();
  } else if (kind < 75) {
    call_on_mapping();
  } else {
    access_mapping();
  }
}

static _Noreturn void run_process(uint64_t seed, unsigned processes) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  seed_random(seed);
  for (int i = 0; i < most_files; i++) state.file[i] = -1;
  start_alarms();
  for (;;) {
    const uint32_t kind = below(2000);
    if (kind < 2) {
      const unsigned char victim = (unsigned char)below(processes);
      if (write(state.kill_requests, &victim, 1) < 0) continue;
    } else if (kind < 12) {
      call_in_child();
    } else if (kind < 16) {
      drop_all();
    } else {
      call_once();
    }
  }
}

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Reaps ended processes, and replaces them if `seed` is not NULL. */
static void reap(pid_t* process, unsigned processes, uint64_t* seed) {
  for (pid_t ended; (ended = waitpid(-1, NULL, WNOHANG)) > 0;) {
    for (unsigned i = 0; i < processes; i++) {
      if (process[i] == ended) process[i] = 0;
    }
  }
  for (unsigned i = 0; i < processes && seed != NULL; i++) {
    if (process[i] > 0) continue;
    const uint64_t number = (*seed)++;
    process[i] = fork();
    if (process[i] == 0) run_process(number, processes);
  }
}

/* Kills all processes. Returns false if one does not end. */
static int end_all(pid_t* process, unsigned processes) {
  const double limit = now() + end_seconds;

  for (;;) {
    int left = 0;
    for (unsigned i = 0; i < processes; i++) {
      if (process[i] <= 0) continue;
      kill(process[i], SIGKILL);
      left++;
    }
    reap(process, processes, NULL);
    /* Children of killed processes are children of this one now (PR_SET_CHILD_SUBREAPER). */
    if (left == 0 && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD) return 1;
    if (now() > limit) return 0;
    poll(NULL, 0, 10);
  }
}

static void* make_memory(size_t size, int protection) {
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED || mprotect(memory, size, protection) != 0) exit(2);
  return memory;
}

int main(int argc, char** argv) {
  pid_t process[most_processes] = {0};
  struct stat status;
  int requests[2];

  if (argc < 5 || stat(argv[4], &status) != 0 || pipe2(requests, O_CLOEXEC | O_NONBLOCK) != 0) {
    fprintf(stderr, "usage: random_calls SECONDS PROCESSES SEED DEVICE...\n");
    return 2;
  }
  const double end = now() + strtod(argv[1], NULL);
  const unsigned processes = (unsigned)strtoul(argv[2], NULL, 0);
  uint64_t seed = strtoull(argv[3], NULL, 0);
  if (seed == 0) seed = (uint64_t)time(NULL) * 1000003U + (uint64_t)getpid();
  if (processes == 0 || processes > most_processes || status.st_size < 2 * page_size) return 2;
  printf("seed %llu\n", (unsigned long long)seed);
  fflush(stdout);

  prctl(PR_SET_CHILD_SUBREAPER, 1);
  state.device = (const char* const*)argv + 4;
  state.devices = (unsigned)argc - 4;
  state.memory_size = status.st_size;
  state.shared = make_memory(page_size, PROT_READ | PROT_WRITE);
  state.read_only = make_memory(page_size, PROT_READ);
  state.scratch = make_memory(scratch_size + page_size, PROT_READ | PROT_WRITE);
  if (mprotect(state.scratch + scratch_size, page_size, PROT_NONE) != 0) return 2;
  state.kill_requests = requests[1];

  uint64_t next_seed = seed;
  while (now() < end) {
    struct pollfd event = {.fd = requests[0], .events = POLLIN};
    unsigned char victim;
    reap(process, processes, &next_seed);
    poll(&event, 1, 20);
    while (read(requests[0], &victim, 1) == 1) {
      if (process[victim % processes] > 0) kill(process[victim % processes], SIGKILL);
    }
  }
  const int all_ended = end_all(process, processes);
  const struct shared* done = state.shared;
  printf("%llu calls, %llu processes, %llu faults, %llu unexpected faults\n", (unsigned long long)done->calls,
         (unsigned long long)(next_seed - seed), (unsigned long long)done->faults,
         (unsigned long long)done->unexpected);
  if (!all_ended) printf("a process does not end\n");
  return all_ended ? done->unexpected != 0 : 3;
}
