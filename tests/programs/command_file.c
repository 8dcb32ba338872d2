/*
 * Commands for the open file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fbprogram.h"

int refresh(void) {
  if (ioctl(fb.fd, FBIOGET_VSCREENINFO, &fb.var) != 0) return errno;
  return ioctl(fb.fd, FBIOGET_FSCREENINFO, &fb.fix) != 0 ? errno : 0;
}

static void open_device(const struct words* words, struct answer* answer) {
  int flags = is_word(words, 1, "ro") ? O_RDONLY : is_word(words, 1, "wo") ? O_WRONLY : O_RDWR;

  for (int i = 2; i < words->count; i++) {
    if (is_word(words, i, "trunc")) flags |= O_TRUNC;
    if (is_word(words, i, "nonblock")) flags |= O_NONBLOCK;
    if (is_word(words, i, "append")) flags |= O_APPEND;
  }
  fb.fd = open(fb.device, flags);
  answer->error = fb.fd < 0 ? errno : refresh();
}

static void close_device(struct answer* answer) {
  answer->error = close(fb.fd) != 0 ? errno : 0;
  fb.fd = -1;
}

/* write OFFSET BYTES VALUE: answers the number of bytes written. */
static void write_bytes(const struct words* words, struct answer* answer) {
  const size_t bytes = number(words, 2, 0);
  char* data = malloc(bytes > 0 ? bytes : 1);

  if (data == NULL) {
    answer->error = ENOMEM;
    return;
  }
  memset(data, (int)number(words, 3, 0), bytes);
  const ssize_t written = pwrite(fb.fd, data, bytes, (off_t)number(words, 1, 0));
  if (written < 0) answer->error = errno;
  snprintf(answer->text, sizeof answer->text, "%zd", written);
  free(data);
}

int file_command(const struct words* words, struct answer* answer) {
  if (is_word(words, 0, "open")) {
    open_device(words, answer);
  } else if (is_word(words, 0, "close")) {
    close_device(answer);
  } else if (is_word(words, 0, "write")) {
    write_bytes(words, answer);
  } else {
    return 0;
  }
  return 1;
}
