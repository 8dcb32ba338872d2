#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "drmclient/card.h"
#include "drmclient/mapping.h"
#include "drmclient/mode.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

/// Options of a headless card.
struct HeadlessOptions {
  Size size{1920, 1080};                                       ///< of the preferred mode
  uint32_t refresh_millihertz = default_refresh_millihertz;    ///< of the preferred mode
  std::vector<PixelFormat> formats{PixelFormat::xrgb8888};     ///< formats of create_buffer(), best first
  unsigned outputs = 1;                                        ///< number of outputs, all connected at first
  MappingChoice mapping = MappingChoice::automatic;            ///< as KmsOptions::mapping
  uint64_t mapping_limit_bytes = default_mapping_limit_bytes;  ///< as KmsOptions::mapping_limit_bytes
};

/// Makes a card in memory with outputs "Virtual-1" and so on, any mode up to 8192x8192, and vblanks of a
/// timer. It serves virtual framebuffers on machines without a display, and replaces hardware in tests.
/// Throws std::system_error: EINVAL if options.size is not from 8x8 to 8192x8192, or an errno of the kernel.
[[nodiscard]] std::unique_ptr<Card> open_headless_card(const HeadlessOptions& options);

}  // namespace drmclient
