/* The flags of FBIOPUT_VSCREENINFO. */
#include "put.h"

struct activate {
  uint32_t bits;
  Edit* edit;
};

static void put_activate(const void* argument) {
  const struct activate* activate = argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  activate->edit(&var);
  var.activate = activate->bits;
  put(file, &var);
}

static void put_activate_and_reopen(const void* argument) {
  const struct activate* activate = argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  activate->edit(&var);
  var.activate = activate->bits;
  put(file, &var);
  sys_close(file);
  say_now(must_open());
}

static void delete_a_mode(const void* argument) {
  (void)argument;
  const long file = must_open();
  struct fb_var_screeninfo var = first_var;

  size_640(&var);
  put(file, &var);
  var = first_var;
  put(file, &var);
  size_640(&var);
  var.activate = FB_ACTIVATE_INV_MODE;
  put(file, &var);
}

void activate_cases(void) {
  static const struct {
    const char* name;
    uint32_t bits;
  } kinds[] = {
      {"now", FB_ACTIVATE_NOW},
      {"nxtopen", FB_ACTIVATE_NXTOPEN},
      {"test", FB_ACTIVATE_TEST},
      {"three", 3},
      {"mask", FB_ACTIVATE_MASK},
      {"vbl", FB_ACTIVATE_VBL},
      {"cmap_vbl", FB_CHANGE_CMAP_VBL},
      {"all", FB_ACTIVATE_ALL},
      {"force", FB_ACTIVATE_FORCE},
      {"force_test", FB_ACTIVATE_FORCE | FB_ACTIVATE_TEST},
      {"force_all", FB_ACTIVATE_FORCE | FB_ACTIVATE_ALL},
      {"inv_mode", FB_ACTIVATE_INV_MODE},
      {"inv_mode_test", FB_ACTIVATE_INV_MODE | FB_ACTIVATE_TEST},
      {"kd_text", FB_ACTIVATE_KD_TEXT},
      {"unknown_bit", 0x400},
  };
  static const struct {
    const char* name;
    Edit* edit;
  } vars[] = {{"same", same},
              {"offset", yoffset_last},
              {"640x480", size_640},
              {"too_wide", xres_more},
              {"tiny", xres_seven}};

  for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    for (unsigned j = 0; j < sizeof vars / sizeof vars[0]; ++j) {
      const struct activate activate = {kinds[i].bits, vars[j].edit};
      run_case(put_activate, &activate, "activate", kinds[i].name, vars[j].name, 0);
    }
  }
  static const struct activate next_open = {FB_ACTIVATE_NXTOPEN, yoffset_last};
  run_case(put_activate_and_reopen, &next_open, "activate", "nxtopen", "reopen", 0);
  run_case(delete_a_mode, 0, "activate", "inv_mode", "used_before", 0);
}
