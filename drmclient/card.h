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

/// What does not change about a card.
struct CardInfo {
  std::string driver;  ///< the kernel driver's name, "headless" for the card in memory
  std::string path;    ///< the device node; empty where there is none
  Size max_size;       ///< largest scan-out buffer and mode
  /// The kernel's console is on the same screen: an output is enabled only while a program draws, and given
  /// back with Card::release() after that.
  bool shared = false;
};

/// How a card does what it is asked, for people who want to know; each is a word or a few.
struct DriverPaths {
  std::string_view commit = "memory";  ///< modes and flips: "atomic", "legacy", "memory"
  std::string_view flush = "none";  ///< changed pixels: "atomic clips", "legacy dirty", "none" (not needed)
  std::string_view mapping = "memory";  ///< "MAP_DUMB", "dma-buf", "shadow", "memory"
  std::string_view vblank = "timer";    ///< "CRTC_QUEUE_SEQUENCE", "WAIT_VBLANK", "timer"
  friend bool operator==(const DriverPaths&, const DriverPaths&) = default;
};

/// One output's part of Card::present_all().
struct Frame {
  OutputId output = 0;              ///< whose
  ScanoutBuffer* buffer = nullptr;  ///< the other members are as the parameters of Card::present()
  Point origin;                     ///< as there
  std::span<const Rect> damage;     ///< as there
};

/// Whether a call failed because another process is DRM master, so that the same call may be tried again
/// later.
[[nodiscard]] inline bool is_master_conflict(const std::error_code& error) {
  return error.value() == EBUSY || error.value() == EACCES;
}

/// Returns true if a call failed because the card was unplugged or unbound from its driver (ENODEV).
[[nodiscard]] inline bool is_unplugged(const std::error_code& error) {
  return error.value() == ENODEV;
}

/// A display card: outputs, modes, buffers, and the calls that put a picture on a screen.
///
/// A card and its buffers belong to one thread at a time; nothing here is thread-safe. Calls may block for up
/// to a frame (a driver's DIRTYFB does), so that thread must never be one that answers programs. Where
/// another process is DRM master, the calls that change the screen fail with EBUSY or EACCES (see
/// is_master_conflict()), leave everything as it was, and may be tried again later. ENODEV means that the
/// card is gone.
class Card {
 public:
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;
  virtual ~Card() = default;

  /// At most so many rectangles in one present(): DRM_MODE_FB_DIRTY_MAX_CLIPS.
  static constexpr size_t max_damage_rects = 256;

  /// What does not change; good as long as the card.
  [[nodiscard]] virtual const CardInfo& info() const = 0;

  /// The outputs as they are now, connected or not.
  [[nodiscard]] virtual base::Result<std::vector<Output>> probe() = 0;

  /// A linear buffer. What is in it is left open: vmwgfx hands out memory with old pictures. Errors: EINVAL
  /// (size or format), ENOMEM, ENOSPC.
  [[nodiscard]] virtual base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                                   PixelFormat format) = 0;

  /// Enables `output` with `mode`, showing `buffer` from `origin` (the part shown must lie inside the
  /// buffer). On an error the output is as it was. `buffer` must outlive its time on the screen. What is in
  /// it may be lost (bochs of Linux 6.x lets the card clear the start of its memory), so draw it once more
  /// and present() it. Errors: the driver's; ENOSPC where the card has no CRTC left for this output.
  [[nodiscard]] virtual base::Result<void> set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer,
                                                    Point origin) = 0;

  /// Whether set_mode() can be expected to work; nothing changes on the screen. Errors: the driver's refusal.
  [[nodiscard]] virtual base::Result<void> check_mode(OutputId output, const Mode& mode,
                                                      ScanoutBuffer& buffer) {
    static_cast<void>(output);
    static_cast<void>(mode);
    static_cast<void>(buffer);
    return {};
  }

  /// Whether the kernel has a console that comes on an output which is let go.
  [[nodiscard]] virtual bool has_console() const { return false; }

  /// Lets the output go, enabled or not. The kernel's console, where there is one, or what was on it before,
  /// is back at the latest when the output's buffers are destroyed; without either it is dark from then on.
  virtual void release(OutputId output) { static_cast<void>(output); }

  /// Lets the output go to a program that is about to take it: nothing is restored, and DRM master not taken,
  /// which that program may be asking for at this moment. The output goes dark with its buffers, unless
  /// something else is on it by then.
  virtual void release_without_restore(OutputId output) { release(output); }

  /// Whether the output still shows the buffer of the last set_mode() or present(): another DRM master may
  /// have come. Where it does not, the next present() brings it back whole once that one has left. Costs no
  /// more than a system call.
  [[nodiscard]] virtual bool scans_out_our_fb(OutputId output) {
    static_cast<void>(output);
    return true;
  }

  /// Whether the output shows again what was on it, or on another output of the card, before the first
  /// set_mode(). The kernel's console is one picture on all outputs, and comes by itself when no process is
  /// DRM master: after hotplug events, of which programs hear first, and when the terminal in front changes.
  [[nodiscard]] virtual bool shows_previous_fb(OutputId output) {
    static_cast<void>(output);
    return false;
  }

  /// Whether the screen may be changed just now. Costs no more than a few system calls, so it can be asked at
  /// each vblank. Errors: EBUSY, EACCES while another process is DRM master, ENODEV for a card that is gone.
  [[nodiscard]] virtual base::Result<void> check_master() { return {}; }

  /// The ways that are used for `output` now.
  [[nodiscard]] virtual DriverPaths driver_paths(OutputId output) const {
    static_cast<void>(output);
    return {};
  }

  /// What became of the mappings of this card's buffers.
  [[nodiscard]] virtual MappingStatistics mapping_statistics() const { return {}; }

  /// The system is short of memory (MemoryPressure): drops the mappings that are not in access. They are made
  /// again when they are needed.
  virtual void release_mappings() {}

  /// Shows `buffer` from `origin` on an output whose mode is set and makes the pixels inside `damage` (buffer
  /// coordinates, inside the buffer, at most max_damage_rects; empty: nothing changed) visible. Returns when
  /// the driver has them. Errors: EINVAL for damage beyond those limits or an output without a mode.
  [[nodiscard]] virtual base::Result<void> present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                                   std::span<const Rect> damage) = 0;

  /// present() for several outputs at once: where flips have to be waited for, it is one wait for all of
  /// them, so that two outputs show as many frames as one. No output twice. Returns a result for each frame.
  [[nodiscard]] virtual std::vector<base::Result<void>> present_all(std::span<const Frame> frames) {
    std::vector<base::Result<void>> results;
    for (const Frame& frame : frames) {
      results.push_back(present(frame.output, *frame.buffer, frame.origin, frame.damage));
    }
    return results;
  }

  /// Loads the gamma table; `table` has Output::gamma_entries entries. Errors: EINVAL.
  [[nodiscard]] virtual base::Result<void> set_gamma(OutputId output, std::span<const GammaEntry> table) = 0;

  /// Turns an output whose mode is set on or off; picture and mode stay, and set_mode() turns it on. Errors:
  /// the driver's; without a mode a KMS card says EINVAL.
  [[nodiscard]] virtual base::Result<void> set_power(OutputId output, Power power) = 0;

  /// Asks for one VblankEvent at the output's next vblank (where the hardware has none, at the mode's rate).
  /// Asking again before it came changes nothing. While the output is off the events come at the mode's rate
  /// all the same.
  [[nodiscard]] virtual base::Result<void> request_vblank(OutputId output) = 0;

  /// Readable (poll(2)) when read_events() has something.
  [[nodiscard]] virtual int event_descriptor() const = 0;
  /// Takes the events that have come; does not block.
  [[nodiscard]] virtual base::Result<std::vector<Event>> read_events() = 0;

  /// What the output shows; black where it is off. Errors: EINVAL for an output without a mode.
  [[nodiscard]] virtual base::Result<Capture> capture(OutputId output) = 0;

 protected:
  Card() = default;
};

}  // namespace drmclient
