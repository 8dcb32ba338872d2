/* What a case and the process that waits for it share. */
#ifndef REPORT_H
#define REPORT_H

struct report {
  unsigned used;
  /* The case ended by itself and the var is the first one. */
  int clean;
  int blanked;
  int map_changed;
  int written;
  int written_everywhere;
  char text[1000];
};

extern struct report* report;

#endif
