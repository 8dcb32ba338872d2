/*
 * The parts of fbprogram: a program that opens a framebuffer, maps it and draws, one command at a time.
 */
#ifndef FBPROGRAM_H
#define FBPROGRAM_H

#include <linux/fb.h>
#include <stddef.h>
#include <stdint.h>

/* What the program has of its framebuffer. */
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

/* What a command answers: 0 or an errno, and text that follows "ok". */
struct answer {
  int error;
  const char* error_name; /* where it is no errno, as "SIGBUS" */
  char text[160];
};

/* A number of the command, decimal or 0x...; `otherwise` where the word is missing. */
unsigned long number(const struct words* words, int index, unsigned long otherwise);
int is_word(const struct words* words, int index, const char* word);

/* Whether another command waits on the standard input. */
int command_waits(void);

/* Runs `work`, and tells whether it met SIGBUS. */
int meets_sigbus(void (*work)(void*), void* argument);

/* The pixel at x, y of the picture with that number: every pixel of a picture is different from its
 * neighbours, and from the same pixel of the next pictures. The tests work it out, too. */
uint32_t picture_pixel(uint32_t x, uint32_t y, uint32_t picture);

/* Reads var and fix again. Returns 0 or an errno. */
int refresh(void);
/* Draws lines first..first+count-1 (of the virtual screen) of the picture. */
void draw_lines(uint32_t first, uint32_t count, uint32_t picture);

/* Each handles the commands of its topic; 0 where the name is none of them. */
int file_command(const struct words* words, struct answer* answer);
int map_command(const struct words* words, struct answer* answer);
int ioctl_command(const struct words* words, struct answer* answer);
int animate_command(const struct words* words, struct answer* answer);

/* Runs any command. */
void run_command(const struct words* words, struct answer* answer);

#endif
