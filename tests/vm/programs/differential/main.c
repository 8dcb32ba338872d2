/* Asks a framebuffer device hundreds of questions and prints what it answers: one line a case, its name
   first.

       differential DEVICE put|state|call|file...

   The groups "put" (the var), "state" (its flags, panning, colour maps) and "call" (all other ioctls, and bad
   pointers for all) do without file positions and mappings, which a CUSE device does not have.

   The same program runs on the kernel's own framebuffers and on fbemu, and the lines are compared. So nothing
   that depends on the time or on the card is in them. It needs no C library, so that a 64-bit compiler
   without 32-bit libraries makes a 32-bit program of it, too. */
#include "probe.h"
#include "report.h"

const char* device;
struct fb_var_screeninfo first_var;
struct fb_fix_screeninfo first_fix;
uint16_t first_map[3][256];

enum {
  sigkill = 9,
  sigbus = 7,
  sigsegv = 11,
  sigalrm = 14,
  case_seconds = 10,
  /* An alarm does not end a wait that cannot be interrupted. */
  wait_milliseconds = 15000,
};

static void print(const char* text) {
  CALL3(__NR_write, 1, text, length_of(text));
}

static void give_up(const char* what) {
  print("!");
  print(what);
  print("\n");
  sys_exit(1);
}

static long last_opened = -1;

long open_device(long flags) {
  return last_opened = sys_open(device, flags);
}

long must_open(void) {
  const long file = open_device(rdwr);
  if (file < 0) {
    say(" cannot open");
    sys_exit(0);
  }
  return file;
}

void will_blank(void) {
  report->blanked = 1;
}
void will_change_map(void) {
  report->map_changed = 1;
}
void will_write(void) {
  report->written = 1;
}
void will_write_everywhere(void) {
  report->written_everywhere = 1;
}

uint32_t memory_end(void) {
  return first_fix.smem_len;
}

unsigned char content(uint32_t position) {
  return (unsigned char)(content_word(position & ~3u) >> (position & 3) * 8);
}

static void fill(long file, uint32_t from, uint32_t to) {
  static uint32_t words[1 << 14];

  while (from < to) {
    const uint32_t count = to - from < sizeof words ? to - from : sizeof words;
    for (uint32_t i = 0; i < count / 4; ++i) words[i] = content_word(from + i * 4);
    if (sys_pwrite(file, words, count, from) != (long)count) give_up("cannot fill the memory");
    from += count;
  }
}

void fill_with_content(void) {
  const long file = open_device(rdwr);
  fill(file, 0, memory_end());
  sys_close(file);
}

static int read_map(long file, uint16_t map[3][256]) {
  const struct fb_cmap all = {0, 256, map[0], map[1], map[2], 0};
  return (int)sys_ioctl(file, FBIOGETCMAP, &all);
}

/* Once in the order that leaves the kernel's scan-out where it was: FBIOPUT_VSCREENINFO does not move it, and
   so cases that pan go back themselves. */
static void restore(void) {
  /* Not for writing: then fbemu has to light its output once more only where there is something to put right.
   */
  long file = open_device(rdonly);
  struct fb_var_screeninfo var = first_var;

  if (file < 0) give_up("cannot open the device any more");
  if (report->blanked) sys_ioctl(file, FBIOBLANK, 0);
  if (sys_ioctl(file, FBIOGET_VSCREENINFO, &var) != 0) give_up("FBIOGET_VSCREENINFO fails");
  if (memcmp(&var, &first_var, sizeof var) != 0) {
    var = first_var;
    sys_ioctl(file, FBIOPUT_VSCREENINFO, &var);
    sys_ioctl(file, FBIOGET_VSCREENINFO, &var);
    if (memcmp(&var, &first_var, sizeof var) != 0) give_up("the first var cannot be put back");
  }
  if (report->map_changed) {
    struct fb_cmap map = {0, 256, first_map[0], first_map[1], first_map[2], 0};
    static uint16_t now[3][256];
    if (sys_ioctl(file, FBIOPUTCMAP, &map) != 0) {
      /* The kernel takes no more than these at true colour. */
      map.len = 16;
      sys_ioctl(file, FBIOPUTCMAP, &map);
    }
    read_map(file, now);
    if (memcmp(now, first_map, sizeof now) != 0) give_up("the first colour map cannot be put back");
  }
  sys_close(file);
  if (report->written_everywhere) {
    fill_with_content();
  } else if (report->written) {
    enum { edge = 1 << 15 };
    file = open_device(rdwr);
    fill(file, 0, edge);
    fill(file, memory_end() - edge, memory_end());
    sys_close(file);
  }
  report->blanked = report->map_changed = report->written = report->written_everywhere = 0;
}

struct poll_entry {
  int file;
  short events, seen;
};

static void end_of_case(long child, long pipe_end) {
  struct poll_entry entry = {(int)pipe_end, 1, 0};
  int status = 0;

  /* The other end is held by the case and by the processes that it starts. */
  if (CALL3(__NR_poll, &entry, 1, wait_milliseconds) != 1) {
    CALL2(__NR_kill, child, sigkill);
    say(" HANG");
    return;
  }
  CALL4(__NR_wait4, child, &status, 0, 0);
  switch (status & 0x7f) {
    case 0:
      break;
    case sigbus:
      say(" SIGBUS");
      break;
    case sigsegv:
      say(" SIGSEGV");
      break;
    case sigalrm:
      say(" HANG");
      break;
    default:
      say(" signal");
      say_number(status & 0x7f);
  }
}

/* Asked by the case itself, on a file that it has open anyway: on fbemu each open and close takes its time.
 */
static int is_as_first(void) {
  struct fb_var_screeninfo var;
  const int changed = report->blanked || report->map_changed || report->written || report->written_everywhere;

  return !changed && sys_ioctl(last_opened, FBIOGET_VSCREENINFO, &var) == 0 &&
         memcmp(&var, &first_var, sizeof var) == 0;
}

void run_case(Body* body, const void* argument, const char* a, const char* b, const char* c, const char* d) {
  const char* const parts[4] = {a, b, c, d};
  int ends[2];
  long child;

  if (!report->clean) restore();
  report->used = 0;
  report->clean = 0;
  for (int i = 0; i < 4 && parts[i] != 0; ++i) {
    if (i != 0) say(".");
    say(parts[i]);
  }
  if (CALL2(__NR_pipe2, ends, 0) != 0) give_up("no pipe");
  child = CALL0(__NR_fork);
  if (child < 0) give_up("no process");
  if (child == 0) {
    sys_close(ends[0]);
    CALL1(__NR_alarm, case_seconds);
    body(argument);
    report->clean = is_as_first();
    sys_exit(0);
  }
  sys_close(ends[1]);
  end_of_case(child, ends[0]);
  sys_close(ends[0]);
  say("\n");
  CALL3(__NR_write, 1, report->text, report->used);
}

static void look_at_first(void) {
  const long file = open_device(rdwr);

  if (file < 0 || sys_ioctl(file, FBIOGET_VSCREENINFO, &first_var) != 0 ||
      sys_ioctl(file, FBIOGET_FSCREENINFO, &first_fix) != 0 || read_map(file, first_map) != 0)
    give_up("this is no framebuffer");
  if (first_var.yres_virtual != 2 * first_var.yres || first_var.xoffset != 0 || first_var.yoffset != 0 ||
      first_var.bits_per_pixel != 32 || first_fix.smem_len % page != 0)
    give_up("the cases need a virtual screen of twice the height, 32 bits a pixel and whole pages");
  sys_close(file);
}

static void state_group(void) {
  activate_cases();
  pan_cases();
  color_map_cases();
}

static void call_group(void) {
  get_cases();
  pointer_cases();
  number_cases();
  blank_cases();
  vblank_cases();
  console_cases();
}

static void file_group(void) {
  fill_with_content();
  transfer_cases();
  position_cases();
  vector_cases();
  read_write_cases();
  open_cases();
  file_cases();
  map_cases();
}

__attribute__((used, noreturn)) void start(long* stack) {
  const char** arguments = (const char**)stack + 1;
  const long shared = sys_map(page, prot_read | prot_write, map_shared | map_anonymous, -1, 0);

  _Static_assert(sizeof(struct report) <= page, "the report is one page");
  report = (struct report*)shared;
  if (stack[0] < 3) {
    print("usage: differential DEVICE put|state|call|file...\n");
    sys_exit(2);
  }
  device = arguments[1];
  look_at_first();
  for (long i = 2; i < stack[0]; ++i) {
    if (memcmp(arguments[i], "put", 4) == 0) put_cases();
    if (memcmp(arguments[i], "state", 6) == 0) state_group();
    if (memcmp(arguments[i], "call", 5) == 0) call_group();
    if (memcmp(arguments[i], "file", 5) == 0) file_group();
  }
  restore();
  print("end\n");
  sys_exit(0);
}
