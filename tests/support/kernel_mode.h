#pragma once

#include <xf86drmMode.h>

#include <cstring>

namespace unit {

/// Returns the kernel's timing of VESA DMT for 1024x768 at 60 Hz, without flags and type.
inline drmModeModeInfo kernel_mode_1024x768() {
  drmModeModeInfo info{};
  info.clock = 65'000;
  info.hdisplay = 1024;
  info.hsync_start = 1048;
  info.hsync_end = 1184;
  info.htotal = 1344;
  info.vdisplay = 768;
  info.vsync_start = 771;
  info.vsync_end = 777;
  info.vtotal = 806;
  std::strcpy(info.name, "1024x768");
  return info;
}

}  // namespace unit
