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

/// A display timing with the members of struct drm_mode_modeinfo.
struct Mode {
  std::string name;             ///< the kernel's name of the mode, or WxH
  uint32_t clock_khz = 0;       ///< pixels per millisecond
  uint32_t hdisplay = 0;        ///< visible columns
  uint32_t hsync_start = 0;     ///< first column of the sync pulse
  uint32_t hsync_end = 0;       ///< column after the sync pulse
  uint32_t htotal = 0;          ///< columns with blanking
  uint32_t vdisplay = 0;        ///< visible lines
  uint32_t vsync_start = 0;     ///< first line of the sync pulse
  uint32_t vsync_end = 0;       ///< line after the sync pulse
  uint32_t vtotal = 0;          ///< lines with blanking
  bool hsync_positive = false;  ///< DRM_MODE_FLAG_PHSYNC, else NHSYNC
  bool vsync_positive = false;  ///< DRM_MODE_FLAG_PVSYNC, else NVSYNC
  bool preferred = false;       ///< the monitor prefers this mode (DRM_MODE_TYPE_PREFERRED)
  friend bool operator==(const Mode&, const Mode&) = default;

  /// Returns the visible size.
  [[nodiscard]] Size size() const { return {hdisplay, vdisplay}; }
  /// Returns frames per second times 1000; 0 if the timing is incomplete, 2^32-1 if the rate is larger.
  [[nodiscard]] uint32_t refresh_millihertz() const;
  /// Returns the time between two vblanks, at least 1 ns; the time of 60 Hz if the timing is incomplete.
  /// Totals beyond 16 bits, which the kernel cannot represent, give no meaningful time.
  [[nodiscard]] std::chrono::nanoseconds frame_period() const;
};

/// A mode that a user requests: a size and optionally a refresh rate.
struct ModeRequest {
  Size size;                                   ///< visible size
  std::optional<uint32_t> refresh_millihertz;  ///< frames per second times 1000
  friend bool operator==(const ModeRequest&, const ModeRequest&) = default;
};

/// Refresh rate if none is requested: 60 Hz.
inline constexpr uint32_t default_refresh_millihertz = 60'000;

/// Parses "1024x768", "1024x768@75" or "1024x768@59.94". Errors: EINVAL for any other text, for a side of 0
/// or above 65535, and for a rate outside 1..1000 Hz.
[[nodiscard]] base::Result<ModeRequest> parse_mode(std::string_view text);

/// Makes a timing for `size` with the reduced blanking of VESA CVT 1.2, section 3.4. `size` is from 8x8 to
/// 16384x16384 and `refresh_millihertz` from 1000 to 1000000.
///
/// The pixel clock is not rounded to the standard's steps of 0.25 MHz, so that the refresh rate is the
/// requested one. No monitor receives such a timing unless a user asks for it.
[[nodiscard]] Mode make_mode(Size size, uint32_t refresh_millihertz = default_refresh_millihertz);

}  // namespace drmclient
