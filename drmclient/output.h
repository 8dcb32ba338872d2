#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "drmclient/pixel_format.h"

namespace drmclient {

/// Names an output of one card for the life of that card: the connector's object id.
using OutputId = uint32_t;

/// What is known of one output (a connector and the CRTC that can drive it) at the time of Card::probe().
struct Output {
  OutputId id = 0;                   ///< for the calls of Card
  std::string name;                  ///< the connector's name, e.g. "HDMI-A-1"
  bool connected = false;            ///< a monitor is there
  Size size_mm;                      ///< of the picture, 0x0 where unknown
  std::vector<Mode> modes;           ///< the connector's list, best first
  std::vector<PixelFormat> formats;  ///< of the primary plane, in the driver's order
  uint32_t gamma_entries = 0;        ///< length of the gamma table, 0 where there is none
  Size custom_modes_up_to;           ///< timings outside the list can be set up to this size; 0x0: none
  bool takes_any_timing = false;     ///< there is no monitor that could fail to show one of those
};

/// The timing in `modes` of exactly `size` that is nearest to the wished refresh rate (without a wish the
/// first, which is the best). Errors: EINVAL if no mode has that size.
[[nodiscard]] base::Result<Mode> choose_listed_mode(
    std::span<const Mode> modes, Size size, std::optional<uint32_t> refresh_millihertz = std::nullopt);

/// A timing of exactly `size` that Card::set_mode() can be expected to take: from the output's list
/// as choose_listed_mode() does, or made where the output takes any timing and the list has none, or none
/// within 1 Hz of the wish. Errors: EINVAL where there is no
/// such timing.
[[nodiscard]] base::Result<Mode> choose_mode(const Output& output, Size size,
                                             std::optional<uint32_t> refresh_millihertz = std::nullopt);

/// One entry of a gamma table, 16 bits a channel.
struct GammaEntry {
  uint16_t red = 0;    ///< 0 is dark, 65535 full
  uint16_t green = 0;  ///< as red
  uint16_t blue = 0;   ///< as red
  friend bool operator==(const GammaEntry&, const GammaEntry&) = default;
};

/// DPMS levels in the order of their power saving (DRM_MODE_DPMS_*).
enum class Power { on, standby, suspend, off };

}  // namespace drmclient
