/* Numbers of ioctls, known and unknown. */
#include "probe.h"

struct number {
  const char* name;
  unsigned long value;
};

static void unknown_number(const void* argument) {
  const struct number* number = argument;
  const long file = must_open();
  static unsigned char bytes[1024];
  unsigned touched = 0;

  memset(bytes, 0x5a, sizeof bytes);
  say(" ");
  say_result(sys_ioctl(file, number->value, bytes));
  for (unsigned i = 0; i < sizeof bytes; ++i) touched += bytes[i] != 0x5a;
  if (touched != 0) say(" written");
}

static void with_null(const void* argument) {
  const struct number* number = argument;
  say(" ");
  say_result(sys_ioctl(must_open(), number->value, 0));
}

void number_cases(void) {
  static const struct number numbers[] = {
      {"4603", 0x4603},
      {"4607", 0x4607},
      {"4608", 0x4608},
      {"4609", 0x4609},
      {"460a", 0x460a},
      {"460b", 0x460b},
      {"get_monitorspec", 0x460c},
      {"put_monitorspec", 0x460d},
      {"switch_monibit", 0x460e},
      {"get_vblank_without_size", 0x4612},
      {"alloc", FBIO_ALLOC},
      {"free", FBIO_FREE},
      {"get_glyph", FBIOGET_GLYPH},
      {"get_hwcinfo", FBIOGET_HWCINFO},
      {"put_modeinfo", FBIOPUT_MODEINFO},
      {"get_dispinfo", FBIOGET_DISPINFO},
      {"4619", 0x4619},
      {"461f", 0x461f},
      {"waitforvsync_without_size", 0x4620},
      {"waitforvsync_read", 0x80044620},
      {"get_var_with_size", 0x80a04600},
      {"put_var_with_size", 0x40a04601},
      {"put_var_both_ways", 0xc0a04601},
      {"cursor_64", 0xc0684608},
      {"cursor_32", 0xc0484608},
      {"omap_sync_gfx", 0x4f25},
      {"46ff", 0x46ff},
      {"large", 0xffff46ff},
      {"zero", 0},
      {"all_ones", 0xffffffff},
      {"fibmap", 1},
      {"figetbsz", 2},
      {"tcgets", 0x5401},
      {"tiocgwinsz", 0x5413},
      {"fionread", 0x541b},
      {"fionbio", 0x5421},
      {"fionclex", 0x5450},
      {"fioclex", 0x5451},
      {"fioasync", 0x5452},
      {"fioqsize", 0x5460},
      {"blkgetsize", 0x1260},
      {"kdgetmode", 0x4b3b},
      {"drm_version", 0xc0406400},
      {"fs_getflags_64", 0x80086601},
      {"fs_getflags_32", 0x80046601},
      {"ficlone", 0x40049409},
  };
  for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
    run_case(unknown_number, &numbers[i], "number", numbers[i].name, 0, 0);
    if ((numbers[i].value & 0xff00) == 0x4600)
      run_case(with_null, &numbers[i], "number", numbers[i].name, "null", 0);
  }
#ifdef __x86_64__
  /* The kernel takes 32 bits of the number. */
  static const struct number high = {"high_bits", 0x100004600};
  run_case(unknown_number, &high, "number", high.name, 0, 0);
#endif
}
