/* The call of FBIOPUT_VSCREENINFO, and the changes of a var that the cases of more than one file send. */
#ifndef PUT_H
#define PUT_H

#include "probe.h"

/* Says the fields of the current var and fix that differ from the first ones. */
void say_now(long file);
/* Sends `var`, and says the result and the state after it. */
void put(long file, struct fb_var_screeninfo* var);

typedef void Edit(struct fb_var_screeninfo* var);

#define EDIT(name, statement)                            \
  static inline void name(struct fb_var_screeninfo* v) { \
    statement;                                           \
  }

EDIT(same, (void)v)
EDIT(xres_more, v->xres += 1)
EDIT(xres_seven, v->xres = 7)
EDIT(size_640, v->xres = 640; v->yres = 480)
EDIT(yoffset_last, v->yoffset = v->yres_virtual - v->yres)

#endif
