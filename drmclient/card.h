#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/result.h"
#include "drmclient/capture.h"
#include "drmclient/events.h"
#include "drmclient/geometry.h"
#include "drmclient/mapping.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"
#include "drmclient/pixel_format.h"
#include "drmclient/scanout_buffer.h"

namespace drmclient {

/// Properties of a card that never change.
struct CardInfo {
  std::string driver;  ///< the kernel driver's name, or "headless" for the card in memory
  std::string path;    ///< the device node; empty for a card without a node
  Size max_size;       ///< largest scan-out buffer and mode
  /// True if the kernel's console uses the same screen. Enable an output only while a program draws, and call
  /// Card::release() afterwards.
  bool shared = false;
};

/// The mechanisms that a card uses, as short texts for status reports.
struct DriverPaths {
  std::string_view commit = "memory";  ///< modes and flips: "atomic", "legacy", "memory"
  std::string_view flush = "none";  ///< changed pixels: "atomic clips", "legacy dirty", "none" (not needed)
  std::string_view mapping = "memory";  ///< "MAP_DUMB", "dma-buf", "shadow", "memory"
  std::string_view vblank = "timer";    ///< "CRTC_QUEUE_SEQUENCE", "WAIT_VBLANK", "timer"
  friend bool operator==(const DriverPaths&, const DriverPaths&) = default;
};

/// The arguments of Card::present() for one output, for Card::present_all().
struct Frame {
  OutputId output = 0;              ///< the output
  ScanoutBuffer* buffer = nullptr;  ///< the buffer to show
  Point origin;                     ///< top left pixel of the shown part
  std::span<const Rect> damage;     ///< the changed rectangles of the buffer
};

/// Returns true if a call failed because another process is DRM master. Repeat the call later.
[[nodiscard]] inline bool is_master_conflict(const std::error_code& error) {
  return error.value() == EBUSY || error.value() == EACCES;
}

/// Returns true if a call failed because the card was unplugged or unbound from its driver (ENODEV).
[[nodiscard]] inline bool is_unplugged(const std::error_code& error) {
  return error.value() == ENODEV;
}

/// A display card: outputs, modes, scan-out buffers, page flips and events.
///
/// A card and its buffers belong to one thread at a time; nothing here is thread-safe. Calls may block for a
/// frame, because some drivers wait for one in DIRTYFB. So do not call a card from a thread that answers
/// programs.
///
/// If another process is DRM master, the calls that change the screen fail with EBUSY or EACCES (see
/// is_master_conflict()). They leave everything unchanged and may be repeated later. ENODEV means that the
/// card was unplugged (see is_unplugged()).
class Card {
 public:
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;
  virtual ~Card() = default;

  /// Maximum number of damage rectangles of one present(): DRM_MODE_FB_DIRTY_MAX_CLIPS.
  static constexpr size_t max_damage_rects = 256;

  /// Returns the fixed properties; the reference is valid as long as the card exists.
  [[nodiscard]] virtual const CardInfo& info() const = 0;

  /// Returns all outputs in their present state, connected or not.
  [[nodiscard]] virtual base::Result<std::vector<Output>> probe() = 0;

  /// Creates a linear scan-out buffer. Its contents are undefined: vmwgfx hands out memory with old pictures.
  /// Errors: EINVAL (size or format), ENOMEM, ENOSPC.
  [[nodiscard]] virtual base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                                   PixelFormat format) = 0;

  /// Enables `output` with `mode` and shows `buffer` from `origin`. The part that the mode shows must lie
  /// inside the buffer, and the buffer must exist as long as it is on the screen.
  ///
  /// If the call fails, the output is unchanged. If it succeeds, the pixels of the buffer may be lost,
  /// because bochs of Linux 6.x clears the start of the card's memory. So draw the buffer again and present()
  /// it. Errors: the driver's; ENOSPC if the card has no free CRTC for this output.
  [[nodiscard]] virtual base::Result<void> set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer,
                                                    Point origin) = 0;

  /// Checks if set_mode() is expected to succeed, without changing the screen. Errors: the driver's refusal.
  [[nodiscard]] virtual base::Result<void> check_mode(OutputId output, const Mode& mode,
                                                      ScanoutBuffer& buffer) {
    static_cast<void>(output);
    static_cast<void>(mode);
    static_cast<void>(buffer);
    return {};
  }

  /// Returns true if the kernel has a console that appears on released outputs.
  [[nodiscard]] virtual bool has_console() const { return false; }

  /// Releases an output, enabled or not. The kernel's console or the previous picture is back when the
  /// output's buffers are destroyed, or earlier. If there is neither, the output is dark from then on.
  virtual void release(OutputId output) { static_cast<void>(output); }

  /// Releases an output to a program that is about to use it. Restores nothing and does not become DRM
  /// master, because that program may request it at this moment. When its buffers are destroyed, the output
  /// goes dark unless another framebuffer is on it by then.
  virtual void release_without_restore(OutputId output) { release(output); }

  /// Returns true if the output still scans out the buffer of the last set_mode() or present(). It does not
  /// if another DRM master has set a mode. After that master has released the card, the next present() shows
  /// the whole picture again. Costs at most one system call.
  [[nodiscard]] virtual bool scans_out_our_fb(OutputId output) {
    static_cast<void>(output);
    return true;
  }

  /// Returns true if the output shows the framebuffer again that was on any output of the card before its
  /// first set_mode(). That is usually the kernel's console, which shows one framebuffer on all outputs.
  ///
  /// The console appears by itself when no process is DRM master: after hotplug events, which programs
  /// receive first, and at a VT switch.
  [[nodiscard]] virtual bool shows_previous_fb(OutputId output) {
    static_cast<void>(output);
    return false;
  }

  /// Returns success if this process can become DRM master now. Costs a few system calls, cheap enough for
  /// each vblank. Errors: EBUSY or EACCES if another process is DRM master, ENODEV if the card was unplugged.
  [[nodiscard]] virtual base::Result<void> check_master() { return {}; }

  /// Returns the mechanisms in use for `output`.
  [[nodiscard]] virtual DriverPaths driver_paths(OutputId output) const {
    static_cast<void>(output);
    return {};
  }

  /// Returns the mapping counters of this card's buffers.
  [[nodiscard]] virtual MappingStatistics mapping_statistics() const { return {}; }

  /// Drops all mappings that are not in access; call it when the system is short of memory (MemoryPressure).
  /// A later access makes the mapping again.
  virtual void release_mappings() {}

  /// Shows `buffer` from `origin` on an output with a mode, and makes the pixels inside `damage` visible.
  /// Returns when the driver has received them.
  ///
  /// `damage` is in buffer coordinates, lies inside the buffer and has at most max_damage_rects rectangles;
  /// empty means that nothing changed. Errors: EINVAL if `damage` violates these limits or the output has no
  /// mode.
  [[nodiscard]] virtual base::Result<void> present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                                   std::span<const Rect> damage) = 0;

  /// Calls present() for several outputs, each at most once, and waits only once for all page flips. So two
  /// outputs show as many frames as one. Returns one result for each frame.
  [[nodiscard]] virtual std::vector<base::Result<void>> present_all(std::span<const Frame> frames) {
    std::vector<base::Result<void>> results;
    for (const Frame& frame : frames) {
      results.push_back(present(frame.output, *frame.buffer, frame.origin, frame.damage));
    }
    return results;
  }

  /// Loads the gamma table; `table` has Output::gamma_entries entries. Errors: EINVAL.
  [[nodiscard]] virtual base::Result<void> set_gamma(OutputId output, std::span<const GammaEntry> table) = 0;

  /// Sets the DPMS level of an output with a mode. Picture and mode are kept, and set_mode() turns the output
  /// on. Errors: the driver's; a KMS card returns EINVAL without a mode.
  [[nodiscard]] virtual base::Result<void> set_power(OutputId output, Power power) = 0;

  /// Requests one VblankEvent for the output's next vblank. Without vblank events of the hardware, or while
  /// the output is off, a timer provides them at the mode's rate. A second request before the event has no
  /// effect.
  [[nodiscard]] virtual base::Result<void> request_vblank(OutputId output) = 0;

  /// Returns a descriptor for poll(2) that is readable if read_events() has events.
  [[nodiscard]] virtual int event_descriptor() const = 0;
  /// Returns the pending events. Does not block.
  [[nodiscard]] virtual base::Result<std::vector<Event>> read_events() = 0;

  /// Returns the pixels that the output shows; black if it is off. Errors: EINVAL if the output has no mode.
  [[nodiscard]] virtual base::Result<Capture> capture(OutputId output) = 0;

 protected:
  Card() = default;
};

}  // namespace drmclient
