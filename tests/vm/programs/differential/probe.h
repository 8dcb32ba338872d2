/* A case is a function that runs in a process of its own and says what it got; its name and what it said are
   one line of the output. */
#ifndef PROBE_H
#define PROBE_H

#include <linux/fb.h>
#include <linux/ioctl.h>

#include "system.h"

/* What the framebuffer was at the start. Every case finds it so again. */
extern const char* device;
extern struct fb_var_screeninfo first_var;
extern struct fb_fix_screeninfo first_fix;
extern uint16_t first_map[3][256];

typedef void Body(const void* argument);

/* The name is put together from up to four parts; 0 ends them. */
void run_case(Body* body, const void* argument, const char* a, const char* b, const char* c, const char* d);

/* For the line of the case that runs. Words are separated by the callers, with a space in front. */
void say(const char* text);
void say_number(long value);
void say_unsigned(uint32_t value);
/* errno's name, a number, or "address". */
void say_result(long result);
void say_labelled(const char* label, long result);
/* The fields that differ from the first var, each as " field=value"; sizes as distances from X and Y, the
   visible size, and V, the virtual height. */
void say_var(const char* prefix, const struct fb_var_screeninfo* var);
void say_fix(const char* prefix, const struct fb_fix_screeninfo* fix);
extern const char* const var_fields[40];

/* What the case changes that var does not show: it is put right before the next one. */
void will_blank(void);
void will_change_map(void);
void will_write(void);
void will_write_everywhere(void);

long open_device(long flags);
/* Reads and writes; ends the case with "cannot open" where there is nothing to go on with. */
long must_open(void);

/* The memory's size in bytes, and what it holds at a position when a case starts. */
uint32_t memory_end(void);
unsigned char content(uint32_t position);
/* The same for four bytes, at a multiple of four. */
static inline uint32_t content_word(uint32_t position) {
  return position * 0x9e3779b1u;
}
void fill_with_content(void);

void get_cases(void);
void put_cases(void);
void activate_cases(void);
void pan_cases(void);
void map_cases(void);
void color_map_cases(void);
void pointer_cases(void);
void number_cases(void);
void blank_cases(void);
void vblank_cases(void);
void console_cases(void);
void transfer_cases(void);
void position_cases(void);
void vector_cases(void);
void read_write_cases(void);
void open_cases(void);
void file_cases(void);

#endif
