#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "drmclient/card.h"
#include "drmclient/mapping.h"
#include "drmclient/mode.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

/// What a headless card is like.
struct HeadlessOptions {
  Size size{1920, 1080};                                       ///< of the preferred mode
  uint32_t refresh_millihertz = default_refresh_millihertz;    ///< of the preferred mode
  std::vector<PixelFormat> formats{PixelFormat::xrgb8888};     ///< what create_buffer() takes, best first
  unsigned outputs = 1;                                        ///< all are connected at first
  MappingChoice mapping = MappingChoice::automatic;            ///< as KmsOptions::mapping
  uint64_t mapping_limit_bytes = default_mapping_limit_bytes;  ///< as KmsOptions::mapping_limit_bytes
  bool moving_mappings = false;                                ///< for tests: HeadlessMappingFaults::moving
  bool mappings_for_uploads_only = false;  ///< for tests: HeadlessMappingFaults::only_for_uploads
  bool incoherent_dma_bufs = false;        ///< for tests: HeadlessMappingFaults::incoherent
  /// For tests: the screen is a copy of the buffer that only the rectangles of present() update, as on
  /// vmwgfx.
  bool strict_display = false;
  /// For tests: a new buffer is full of bytes of 0xa5, as if something else had been there before.
  bool dirty_buffers = false;
};

/// Makes a card in memory with outputs "Virtual-1" and so on: any mode up to 8192x8192, and a timer for
/// vblank. It serves virtual framebuffers on machines without a display, and stands in for hardware in tests.
/// Throws std::system_error: EINVAL if options.size is not from 8x8 to 8192x8192, or an errno of the kernel.
[[nodiscard]] std::unique_ptr<Card> open_headless_card(const HeadlessOptions& options);

}  // namespace drmclient
