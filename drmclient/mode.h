#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "drmclient/geometry.h"

namespace drmclient {

/// Smallest side of a mode and of a buffer, in pixels: fb_set_var() refuses smaller ones.
inline constexpr uint32_t smallest_side = 8;
/// Largest side of a mode and of a buffer, in pixels: the kernel's timings and DIRTYFB have 16 bits.
inline constexpr uint32_t largest_side = 65'535;
/// Lowest refresh rate of a mode.
inline constexpr uint32_t slowest_millihertz = 1'000;
/// Highest refresh rate of a mode.
inline constexpr uint32_t fastest_millihertz = 1'000'000;

/// A display timing: the members of struct drm_mode_modeinfo under its names.
struct Mode {
  std::string name;             ///< as the kernel calls it, or WxH
  uint32_t clock_khz = 0;       ///< pixels in a millisecond
  uint32_t hdisplay = 0;        ///< columns that show
  uint32_t hsync_start = 0;     ///< the column at which the pulse begins
  uint32_t hsync_end = 0;       ///< and the one after its end
  uint32_t htotal = 0;          ///< columns, blanking included
  uint32_t vdisplay = 0;        ///< lines that show
  uint32_t vsync_start = 0;     ///< the line at which the pulse begins
  uint32_t vsync_end = 0;       ///< and the one after its end
  uint32_t vtotal = 0;          ///< lines, blanking included
  bool hsync_positive = false;  ///< DRM_MODE_FLAG_PHSYNC, else NHSYNC
  bool vsync_positive = false;  ///< DRM_MODE_FLAG_PVSYNC, else NVSYNC
  bool preferred = false;       ///< the monitor likes it best (DRM_MODE_TYPE_PREFERRED)
  friend bool operator==(const Mode&, const Mode&) = default;

  /// What shows of it.
  [[nodiscard]] Size size() const { return {hdisplay, vdisplay}; }
  /// Frames a second times 1000; 0 where the timing is incomplete, 2^32-1 where it does not fit.
  [[nodiscard]] uint32_t refresh_millihertz() const;
  /// The time from one vblank to the next, at least 1 ns; that of 60 Hz where the timing is incomplete.
  /// Totals beyond 16 bits, which the kernel cannot have, give no sensible time.
  [[nodiscard]] std::chrono::nanoseconds frame_period() const;
};

/// What a user asks for: a size, and a refresh rate if need be.
struct ModeRequest {
  Size size;                                   ///< of the picture
  std::optional<uint32_t> refresh_millihertz;  ///< frames a second times 1000
  friend bool operator==(const ModeRequest&, const ModeRequest&) = default;
};

/// 60 Hz, where nobody asks for another rate.
inline constexpr uint32_t default_refresh_millihertz = 60'000;

/// Reads "1024x768", "1024x768@75" or "1024x768@59.94".
/// Errors: EINVAL for any other text, for a side of 0 or above 65535, and for a rate outside 1..1000 Hz.
[[nodiscard]] base::Result<ModeRequest> parse_mode(std::string_view text);

/// A timing for `size` with the reduced blanking of VESA CVT 1.2, section 3.4. The pixel clock is not rounded
/// to the 0.25 MHz steps of the standard, so that the refresh rate comes out as asked; no monitor is ever
/// shown it unasked. `size` is from 8x8 to 16384x16384 and `refresh_millihertz` from 1000 to 1000000.
[[nodiscard]] Mode make_mode(Size size, uint32_t refresh_millihertz = default_refresh_millihertz);

}  // namespace drmclient
