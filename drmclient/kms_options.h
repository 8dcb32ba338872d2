#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "drmclient/card.h"
#include "drmclient/mapping.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

/// The kernel's interface for modes and flips: atomic commits, or the older calls (SETCRTC).
enum class KmsApi { atomic, legacy };

/// Options of a KMS card. Only the path is required.
struct KmsOptions {
  std::string path;                                  ///< of the primary node, /dev/dri/cardN
  MappingChoice mapping = MappingChoice::automatic;  ///< how the CPU reaches the buffers
  /// Maximum size of the mappings that are kept between accesses.
  uint64_t mapping_limit_bytes = default_mapping_limit_bytes;
  KmsApi api = KmsApi::atomic;        ///< used if the driver supports it
  std::optional<PixelFormat> format;  ///< the only format to scan out; without it all formats of the plane
};

/// Opens a DRM card; callers do not need libdrm. Throws std::system_error with a message that names the card.
[[nodiscard]] std::unique_ptr<Card> open_kms_card(const KmsOptions& options);

}  // namespace drmclient
