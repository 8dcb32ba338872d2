#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "drmclient/card.h"
#include "drmclient/mapping.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

/// The uAPI for modes and flips: atomic commits, or the calls from before them (SETCRTC).
enum class KmsApi { atomic, legacy };

/// Which card, and how it is to be used. Nothing but the path has to be set.
struct KmsOptions {
  std::string path;                                  ///< of the primary node, /dev/dri/cardN
  MappingChoice mapping = MappingChoice::automatic;  ///< how the CPU reaches the buffers
  /// The most that is kept mapped between accesses.
  uint64_t mapping_limit_bytes = default_mapping_limit_bytes;
  KmsApi api = KmsApi::atomic;        ///< where the driver has it
  std::optional<PixelFormat> format;  ///< the only one to scan out; without it what the plane has
};

/// Opens a DRM card without the caller having to know libdrm. Throws std::system_error with a sentence that
/// names the card.
[[nodiscard]] std::unique_ptr<Card> open_kms_card(const KmsOptions& options);

}  // namespace drmclient
