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

/// The id of an output during the life of its card: the connector's object id.
using OutputId = uint32_t;

/// The state of an output (a connector and the CRTC that can drive it) at the time of Card::probe().
struct Output {
  OutputId id = 0;                   ///< the id for calls of Card
  std::string name;                  ///< the connector's name, e.g. "HDMI-A-1"
  bool connected = false;            ///< true if a monitor is connected
  Size size_mm;                      ///< size of the picture; 0x0 if unknown
  std::vector<Mode> modes;           ///< the connector's modes, best first
  std::vector<PixelFormat> formats;  ///< formats of the primary plane, in the driver's order
  uint32_t gamma_entries = 0;        ///< length of the gamma table; 0 without one
  Size custom_modes_up_to;           ///< largest size of timings outside the list; 0x0 if there are none
  bool takes_any_timing = false;     ///< true if no monitor can fail to show such a timing
};

/// Returns the mode in `modes` of exactly `size` whose refresh rate is nearest to the requested one. Without
/// a requested rate it is the first of that size, which is the best. Errors: EINVAL if no mode has that size.
[[nodiscard]] base::Result<Mode> choose_listed_mode(
    std::span<const Mode> modes, Size size, std::optional<uint32_t> refresh_millihertz = std::nullopt);

/// Returns a mode of exactly `size` that Card::set_mode() is expected to accept. It is chosen from the
/// output's list by choose_listed_mode(). If the list has none, or none within 1 Hz of the requested rate,
/// the mode is made if the output accepts other timings. Errors: EINVAL if there is no such mode.
[[nodiscard]] base::Result<Mode> choose_mode(const Output& output, Size size,
                                             std::optional<uint32_t> refresh_millihertz = std::nullopt);

/// An entry of a gamma table with 16 bits per channel.
struct GammaEntry {
  uint16_t red = 0;    ///< 0 is dark, 65535 full intensity
  uint16_t green = 0;  ///< like red
  uint16_t blue = 0;   ///< like red
  friend bool operator==(const GammaEntry&, const GammaEntry&) = default;
};

/// DPMS levels, sorted by the power that they save (DRM_MODE_DPMS_*).
enum class Power { on, standby, suspend, off };

}  // namespace drmclient
