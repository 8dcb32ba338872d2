#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drmclient/capture.h"
#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "drmclient/pixel_format.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// The properties of an output (a connector and the CRTC that can drive it) at the time of Card::probe().
struct OutputInfo {
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

/// Returns a mode of exactly `size` that Output::set_mode() is expected to accept. It is chosen from the
/// output's list by choose_listed_mode(). If the list has none, or none within 1 Hz of the requested rate,
/// the mode is made if the output accepts other timings. Errors: EINVAL if there is no such mode.
[[nodiscard]] base::Result<Mode> choose_mode(const OutputInfo& output, Size size,
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

/// The mechanisms that a card uses, as short texts for status reports.
struct DriverPaths {
  std::string_view commit = "memory";  ///< modes and flips: "atomic", "legacy", "memory"
  std::string_view flush = "none";  ///< changed pixels: "atomic clips", "legacy dirty", "none" (not needed)
  std::string_view mapping = "memory";  ///< "MAP_DUMB", "dma-buf", "shadow", "memory"
  std::string_view vblank = "timer";    ///< "CRTC_QUEUE_SEQUENCE", "WAIT_VBLANK", "timer"
  friend bool operator==(const DriverPaths&, const DriverPaths&) = default;
};

/// An output of a card: a connector, and the CRTC that drives it while the output is enabled.
///
/// The card owns its outputs, and an output exists as long as its card. If the connector disappears
/// (DisplayPort MST), the output stays as a disconnected one. So clients keep references, and there is no id.
///
/// An enabled output uses the buffer that it shows. Call release() or release_without_restore() before that
/// buffer is destroyed, also if another framebuffer is on the screen. Afterwards the card may be closed, and
/// the output would use the closed card.
///
/// The threads and the errors are those of Card.
class Output {
 public:
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;

  /// Returns the properties as of the last Card::probe(), which may change them.
  [[nodiscard]] virtual const OutputInfo& info() const = 0;

  /// Enables the output with `mode` and shows `buffer` from `origin`. The part that the mode shows must lie
  /// inside the buffer, and the buffer must exist until the output shows another one or is released.
  ///
  /// If the call fails, the output is unchanged. If it succeeds, the pixels of the buffer may be lost,
  /// because bochs of Linux 6.x clears the start of the card's memory. So draw the buffer again and present()
  /// it. Errors: the driver's; ENOSPC if the card has no free CRTC for this output; ENOENT if its connector
  /// disappeared.
  [[nodiscard]] virtual base::Result<void> set_mode(const Mode& mode, ScanoutBuffer& buffer,
                                                    Point origin) = 0;

  /// Checks if set_mode() is expected to succeed, without changing the screen. Errors: the driver's refusal.
  [[nodiscard]] virtual base::Result<void> check_mode(const Mode& mode, ScanoutBuffer& buffer) {
    static_cast<void>(mode);
    static_cast<void>(buffer);
    return {};
  }

  /// Releases the output, enabled or not. The kernel's console or the previous picture is back when the
  /// output's buffers are destroyed, or earlier. If there is neither, the output is dark from then on.
  virtual void release() = 0;

  /// Releases the output to a program that is about to use it. Restores nothing and does not become DRM
  /// master, because that program may request it at this moment. When the buffers are destroyed, the output
  /// goes dark unless another framebuffer is on it by then.
  virtual void release_without_restore() { release(); }

  /// Returns true if the output still scans out the buffer of the last set_mode() or present(). It does not
  /// if another DRM master has set a mode. After that master has released the card, the next present() shows
  /// the whole picture again. Costs at most one system call.
  [[nodiscard]] virtual bool scans_out_our_fb() { return true; }

  /// Returns true if the output shows the framebuffer again that was on any output of the card before its
  /// first set_mode(). That is usually the kernel's console, which shows one framebuffer on all outputs.
  ///
  /// The console appears by itself when no process is DRM master: after hotplug events, which programs
  /// receive first, and at a VT switch.
  [[nodiscard]] virtual bool shows_previous_fb() { return false; }

  /// Returns the mechanisms in use.
  [[nodiscard]] virtual DriverPaths driver_paths() const { return {}; }

  /// Loads the gamma table; `table` has OutputInfo::gamma_entries entries. Errors: EINVAL.
  [[nodiscard]] virtual base::Result<void> set_gamma(std::span<const GammaEntry> table) = 0;

  /// Sets the DPMS level of an output with a mode. Picture and mode are kept, and set_mode() turns the output
  /// on. Errors: the driver's; a KMS card returns EINVAL without a mode.
  [[nodiscard]] virtual base::Result<void> set_power(Power power) = 0;

  /// Requests one VblankEvent for the next vblank. Without vblank events of the hardware, or while the output
  /// is off, a timer provides them at the mode's rate. A second request before the event has no effect.
  /// Errors: EINVAL without a mode.
  [[nodiscard]] virtual base::Result<void> request_vblank() = 0;

  /// Returns the pixels that the output shows; black if it is off. Errors: EINVAL without a mode.
  [[nodiscard]] virtual base::Result<Capture> capture() = 0;

 protected:
  Output() = default;
};

}  // namespace drmclient
