/*
 * Random calls on descriptors of the framebuffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "random_calls.h"

/* Opens the framebuffer into a slot; what the slot had is closed. */
static void open_file(void) {
  static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR};
  static const int flags[] = {O_TRUNC, O_APPEND, O_NONBLOCK, O_DIRECT, O_SYNC, O_CREAT, O_PATH, O_DIRECTORY};
  int wanted = access[below(5)];
  int* file = &state.file[below(most_files)];

  if (below(3) == 0) wanted |= flags[below(8)];
  if (*file >= 0) close(*file);
  *file = open(state.device[below(state.devices)], wanted | O_CLOEXEC, 0660);
}

static void duplicate(void) {
  int* file = &state.file[below(most_files)];
  const int copy = dup(random_file());

  if (*file >= 0) close(*file);
  *file = copy;
}

static void transfer(int file) {
  size_t size = random_size();
  void* pointer = random_pointer(&size);
  struct iovec parts[3] = {{pointer, size}};

  for (int i = 1; i < 3; i++) {
    parts[i].iov_len = below(5000);
    parts[i].iov_base = random_pointer(&parts[i].iov_len);
  }
  switch (below(8)) {
    case 0:
      (void)!read(file, pointer, size);
      break;
    case 1:
      (void)!write(file, pointer, size);
      break;
    case 2:
      (void)!pread(file, pointer, size, random_offset());
      break;
    case 3:
      (void)!pwrite(file, pointer, size, random_offset());
      break;
    case 4:
      (void)!readv(file, parts, 1 + (int)below(3));
      break;
    case 5:
      (void)!writev(file, parts, 1 + (int)below(3));
      break;
    case 6:
      (void)!preadv2(file, parts, 3, random_offset(), below(2) ? RWF_NOWAIT : 0);
      break;
    default:
      (void)!pwritev2(file, parts, 3, random_offset(), below(2) ? RWF_DSYNC : 0);
      break;
  }
}

/* Any other command, without an argument. */
static void other_control(int file) {
  const int command = (int)below(1100);
  const int result = fcntl(file, command, 0);

  if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && result >= 0) close(result);
}

static void control(int file) {
  struct flock lock = {
      .l_type = (short)below(3), .l_whence = SEEK_SET, .l_start = below(10000), .l_len = below(99)};

  switch (below(8)) {
    case 0:
      fcntl(file, F_GETFL);
      break;
    case 1:
      fcntl(file, F_SETFL,
            (below(2) ? O_APPEND : 0) | (below(2) ? O_NONBLOCK : 0) | (below(4) ? 0 : O_DIRECT));
      break;
    case 2:
      fcntl(file, F_SETLK, &lock);
      break;
    case 3:
      fcntl(file, F_SETLKW, &lock); /* A signal ends the wait. */
      break;
    case 4:
      fcntl(file, F_SETLEASE, below(3));
      fcntl(file, F_SETLEASE, F_UNLCK);
      break;
    case 5:
      fcntl(file, F_SETSIG, 0);
      fcntl(file, F_SETOWN, getpid());
      break;
    case 6:
      flock(file, (below(2) ? LOCK_EX : LOCK_SH) | LOCK_NB);
      flock(file, LOCK_UN);
      break;
    default:
      other_control(file);
      break;
  }
}

static void change_size(int file) {
  switch (below(4)) {
    case 0:
      (void)!ftruncate(file, random_offset());
      break;
    case 1:
      (void)!truncate(state.device[below(state.devices)], random_offset());
      break;
    default:
      (void)!fallocate(file, (int)below(128), random_offset(), (off_t)random_size());
      break;
  }
}

static void look_at(int file) {
  struct stat status;
  char value[64];

  switch (below(5)) {
    case 0:
      fstat(file, &status);
      break;
    case 1:
      (void)!fgetxattr(file, "security.capability", value, sizeof value);
      break;
    case 2:
      fsetxattr(file, "user.x", value, 4, 0);
      break;
    case 3:
      (void)!futimens(file, NULL);
      break;
    default:
      stat(state.device[below(state.devices)], &status);
      break;
  }
}

static void synchronize(int file) {
  static const int advices[] = {POSIX_FADV_DONTNEED, POSIX_FADV_WILLNEED, POSIX_FADV_RANDOM,
                                POSIX_FADV_NORMAL};

  switch (below(5)) {
    case 0:
      fsync(file);
      break;
    case 1:
      fdatasync(file);
      break;
    case 2:
      sync_file_range(file, random_offset(), (off_t)random_size(), below(8));
      break;
    case 3:
      readahead(file, random_offset(), random_size());
      break;
    default:
      posix_fadvise(file, below(2) ? 0 : random_offset(), (off_t)random_size(), advices[below(4)]);
      break;
  }
}

void call_on_file(void) {
  const int file = random_file();

  switch (below(16)) {
    case 0:
    case 1:
    case 2:
      open_file();
      break;
    case 3:
      duplicate();
      break;
    case 4:
      lseek(file, random_offset(), (int)below(6));
      break;
    case 5:
      control(file);
      break;
    case 6:
      change_size(file);
      break;
    case 7:
      look_at(file);
      break;
    case 8:
    case 9:
      synchronize(file);
      break;
    default:
      transfer(file);
      break;
  }
}

/* Makes a pipe or a memfd with some bytes, and moves bytes between it and the framebuffer. */
void call_between_files(void) {
  const int file = random_file();
  const int memory = memfd_create("random_calls", MFD_CLOEXEC);
  const size_t size = random_size() % 200000;
  off_t offset = random_offset();
  off_t start = 0;
  int ends[2];

  if (memory < 0) return;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    close(memory);
    return;
  }
  (void)!ftruncate(memory, 100000);
  switch (below(6)) {
    case 0:
      (void)!sendfile(file, memory, NULL, size);
      break;
    case 1:
      (void)!sendfile(memory, file, &offset, size);
      break;
    case 2:
      (void)!copy_file_range(memory, &start, file, &offset, size, 0);
      break;
    case 3:
      (void)!copy_file_range(file, &offset, random_file(), NULL, size, 0);
      break;
    case 4:
      (void)!write(ends[1], state.scratch, 30000);
      (void)!splice(ends[0], NULL, file, &offset, size, SPLICE_F_NONBLOCK);
      break;
    default:
      (void)!splice(file, &offset, ends[1], NULL, size, SPLICE_F_NONBLOCK);
      (void)!splice(ends[0], NULL, random_file(), NULL, size, SPLICE_F_NONBLOCK);
      break;
  }
  close(ends[0]);
  close(ends[1]);
  close(memory);
}

void call_for_events(void) {
  enum { longest_wait_ms = 20 };
  const int file = random_file();
  struct pollfd event = {.fd = file, .events = (short)random_word()};
  struct epoll_event wanted = {.events = random_word() & ~(uint32_t)EPOLLEXCLUSIVE};
  struct timeval time = {0, (int)below(longest_wait_ms * 1000)};
  fd_set files;
  fd_set copy;

  switch (below(3)) {
    case 0:
      poll(&event, 1, (int)below(longest_wait_ms));
      break;
    case 1:
      FD_ZERO(&files);
      if (file >= 0 && file < FD_SETSIZE) FD_SET(file, &files);
      copy = files;
      select(FD_SETSIZE, &files, &copy, NULL, &time);
      break;
    default: {
      const int epoll = epoll_create1(EPOLL_CLOEXEC);
      if (epoll < 0) return;
      epoll_ctl(epoll, EPOLL_CTL_ADD, file, &wanted);
      epoll_wait(epoll, &wanted, 1, (int)below(longest_wait_ms));
      close(epoll);
      break;
    }
  }
}
