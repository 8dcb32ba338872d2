/*
 * Uses a framebuffer, one command at a time.
 *
 *     fbprogram DEVICE [COMMAND...]
 *
 * With commands as arguments ("open rw" "map rw smem" "picture 1") it runs them and ends; the first that
 * fails ends it with status 1. Without, it reads one command a line from the standard input until its end,
 * and answers each with one line on the standard output: "ok", perhaps with values, or "error NAME".
 *
 * The commands:
 *     open rw|ro|wo [trunc] [nonblock] [append]     close     exit [STATUS]
 *     map r|w|rw BYTES|smem [MORE] [private]        unmap
 *     picture N [LINE COUNT]     check N [LINE COUNT]     rect X Y W H VALUE
 *     poke OFFSET VALUE          peek OFFSET
 *     write OFFSET BYTES VALUE
 *     var     fix     virtual HEIGHT     pan X Y     blank LEVEL     fork COMMAND...
 *     vsync [null]     vsyncs COUNT     interrupted-vsync
 *     ioctls-inside THREADS COUNT [evict]
 *     animate N [LINE COUNT]     dirty     loop ioctl|vsync|pan|pwrite|store FILE
 */
#include "fbprogram.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct framebuffer fb = {.fd = -1};

static sigjmp_buf out_of_sigbus;

static void on_sigbus(int signal) {
  (void)signal;
  siglongjmp(out_of_sigbus, 1);
}

int meets_sigbus(void (*work)(void*), void* argument) {
  struct sigaction action = {.sa_handler = on_sigbus};
  struct sigaction before;

  sigaction(SIGBUS, &action, &before);
  const int met = sigsetjmp(out_of_sigbus, 1);
  if (!met) work(argument);
  sigaction(SIGBUS, &before, NULL);
  return met;
}

unsigned long number(const struct words* words, int index, unsigned long otherwise) {
  return index < words->count ? strtoul(words->word[index], NULL, 0) : otherwise;
}

int is_word(const struct words* words, int index, const char* word) {
  return index < words->count && strcmp(words->word[index], word) == 0;
}

int command_waits(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

  return poll(&input, 1, 0) > 0;
}

/* Runs the rest of the words in a child process, and passes its answer on. */
static void run_in_child(const struct words* words, struct answer* answer) {
  struct words rest = {.count = words->count - 1};
  int ends[2];
  int status = 0;

  memcpy(rest.word, words->word + 1, (size_t)rest.count * sizeof rest.word[0]);
  if (pipe(ends) != 0) {
    answer->error = errno;
    return;
  }
  const pid_t child = fork();
  if (child == 0) {
    run_command(&rest, answer);
    _exit(write(ends[1], answer, sizeof *answer) == (ssize_t)sizeof *answer ? 0 : 1);
  }
  if (child < 0 || read(ends[0], answer, sizeof *answer) != (ssize_t)sizeof *answer) answer->error = EIO;
  if (child > 0) waitpid(child, &status, 0);
  /* A pointer in the child's answer is valid here, because the child is a copy of this process. */
  close(ends[0]);
  close(ends[1]);
}

void run_command(const struct words* words, struct answer* answer) {
  if (is_word(words, 0, "exit")) {
    _exit((int)number(words, 1, 0));
  } else if (is_word(words, 0, "fork")) {
    run_in_child(words, answer);
  } else if (!file_command(words, answer) && !map_command(words, answer) && !ioctl_command(words, answer) &&
             !animate_command(words, answer) && !loop_command(words, answer)) {
    answer->error_name = "unknown-command";
  }
}

static int run_text(char* text) {
  struct words words = {.count = 0};
  struct answer answer = {.error = 0};
  char* rest = NULL;

  for (char* word = strtok_r(text, " \n", &rest); word != NULL && words.count < 16;
       word = strtok_r(NULL, " \n", &rest)) {
    words.word[words.count++] = word;
  }
  if (words.count == 0) return 0;
  run_command(&words, &answer);
  if (answer.error != 0 && answer.error_name == NULL) answer.error_name = strerrorname_np(answer.error);
  if (answer.error_name != NULL) {
    printf("error %s\n", answer.error_name);
  } else {
    printf("ok%s%s\n", answer.text[0] != '\0' ? " " : "", answer.text);
  }
  fflush(stdout);
  return answer.error_name == NULL;
}

int main(int argc, char** argv) {
  char line[512];

  if (argc < 2) {
    fprintf(stderr, "usage: fbprogram DEVICE [COMMAND...]\n");
    return 2;
  }
  fb.device = argv[1];
  for (int i = 2; i < argc; i++) {
    if (!run_text(argv[i])) return 1;
  }
  if (argc > 2) return 0;
  /* Unbuffered, so that command_waits() sees all unread input. */
  setvbuf(stdin, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL) run_text(line);
  return 0;
}
