/*
 * The parts of fbprogram, which opens a framebuffer, maps it and draws, one command at a time.
 */
#ifndef FBPROGRAM_H
#define FBPROGRAM_H

#include <linux/fb.h>
#include <stddef.h>
#include <stdint.h>

/* The program's framebuffer. */
struct framebuffer {
  const char* device;
  int fd;                /* -1: not open */
  volatile uint8_t* map; /* NULL: not mapped */
  size_t map_bytes;
  struct fb_var_screeninfo var; /* as of the last open or refresh() */
  struct fb_fix_screeninfo fix;
};

extern struct framebuffer fb;

/* The words of one command; words[0] is its name. */
struct words {
  int count;
  char* word[16];
};

/* The answer to a command: 0 or an errno, and the text after "ok". */
struct answer {
  int error;
  const char* error_name; /* of an error that is not an errno, as "SIGBUS" */
  char text[160];
};

/* Returns a number of the command, decimal or 0x...; `otherwise` if the word is missing. */
unsigned long number(const struct words* words, int index, unsigned long otherwise);
int is_word(const struct words* words, int index, const char* word);

/* Returns 1 if another command waits on the standard input. */
int command_waits(void);

/* Runs `work`. Returns 1 if it caused SIGBUS. */
int meets_sigbus(void (*work)(void*), void* argument);

/* Returns the pixel at x, y of picture number `picture`. Each pixel differs from its neighbours, and from the
 * same pixel of the next pictures. The tests compute it, too (drawn_pixel()). */
uint32_t picture_pixel(uint32_t x, uint32_t y, uint32_t picture);

/* Reads var and fix again. Returns 0 or an errno. */
int refresh(void);
/* Draws the lines first..first+count-1 (of the virtual screen) of a picture. */
void draw_lines(uint32_t first, uint32_t count, uint32_t picture);

/* Each handles the commands of its topic. Returns 0 if the command is not one of them. */
int file_command(const struct words* words, struct answer* answer);
int map_command(const struct words* words, struct answer* answer);
int ioctl_command(const struct words* words, struct answer* answer);
int animate_command(const struct words* words, struct answer* answer);
int loop_command(const struct words* words, struct answer* answer);

/* Runs any command. */
void run_command(const struct words* words, struct answer* answer);

#endif
