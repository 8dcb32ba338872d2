/* What the cases of read, write and their relatives have in common. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "probe.h"

enum { largest_answer = 16384 };

/* The memory of a transfer, larger than the framebuffer's. make_buffer() allocates it. */
extern unsigned char* buffer;
void make_buffer(void);

/* Says a result; a number larger than `largest_answer` by its distance from the end of the memory. */
void say_count(long result);
/* Says how many bytes of the memory the case changed, and if they are not the complement that it sent. */
void say_change(long file);
/* The same for the memory near `position` only, because comparing the whole memory takes long. */
void say_change_near(long file, int64_t position);
/* Says the position of an open file. */
void say_position(const char* label, long file);

#endif
