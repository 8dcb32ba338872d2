#pragma once

#include <cstdint>
#include <string>

#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/pixels/view_transform.h"

namespace fbemu {

/// The options of a framebuffer, fixed for the life of the daemon.
struct FramebufferOptions {
  drmclient::Mode mode;
  uint32_t depth = 32;           ///< bits per pixel at the start, as format_of_depth() takes them
  drmclient::Size virtual_size;  ///< of the virtual screen at the start; 0x0: the visible size
  /// smem_len. 0: two screens of 32 bits per pixel, or the virtual screen if that is larger.
  uint64_t memory_bytes = 0;
  Rotation rotation = Rotation::none;  ///< of the display
  Scaling scaling = Scaling::fit;
  bool direct_color = false;  ///< True if the colours of true-colour formats go through the colour map.
  uint32_t number = 0;        ///< N of /dev/fbN, for FBIOGET_CON2FBMAP
  std::string id;             ///< fix.id
  OnClose on_close = OnClose::console;
  /// True if the memory is zeroed after the last program has closed the framebuffer.
  bool clear_on_close = false;
  Outputs outputs = Outputs::one;
  drmclient::VirtualTerminals* terminals = nullptr;  ///< as in ArbiterOptions
  drmclient::MemoryPressure* pressure = nullptr;     ///< as in ArbiterOptions
  /// True if `mode` was not requested: a monitor that is plugged in later may use a mode of its own.
  bool follow_monitor_mode = false;
};

/// Returns smem_len for `options`, rounded up to a page. Throws std::system_error (EINVAL) for more than
/// smem_len's 32 bits can hold.
[[nodiscard]] uint64_t memory_bytes_for(const FramebufferOptions& options);

}  // namespace fbemu
