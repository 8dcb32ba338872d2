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
  /// Output::release() afterwards.
  bool shared = false;
};

/// The arguments of Card::present() for one output.
struct Frame {
  Output& output;                ///< an output of the card
  ScanoutBuffer& buffer;         ///< the buffer to show
  Point origin;                  ///< top left pixel of the shown part
  std::span<const Rect> damage;  ///< the changed rectangles of the buffer
};

/// Returns true if a call failed because another process is DRM master. Repeat the call later.
[[nodiscard]] inline bool is_master_conflict(const std::error_code& error) {
  return error.value() == EBUSY || error.value() == EACCES;
}

/// Returns true if a call failed because the card was unplugged or unbound from its driver (ENODEV).
[[nodiscard]] inline bool is_unplugged(const std::error_code& error) {
  return error.value() == ENODEV;
}

/// Returns true if a call failed because the card has no free CRTC or no memory left (ENOSPC).
[[nodiscard]] inline bool is_card_full(const std::error_code& error) {
  return error.value() == ENOSPC;
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

  /// Updates Output::info() of all outputs, and returns those whose connector exists, connected or not. The
  /// card owns them; they exist as long as the card.
  [[nodiscard]] virtual base::Result<std::vector<Output*>> probe() = 0;

  /// Creates a linear scan-out buffer. Its contents are undefined: vmwgfx hands out memory with old pictures.
  /// Errors: EINVAL (size or format), ENOMEM, ENOSPC.
  [[nodiscard]] virtual base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                                   PixelFormat format) = 0;

  /// Returns true if the kernel has a console that appears on released outputs.
  [[nodiscard]] virtual bool has_console() const { return false; }

  /// Returns success if this process can become DRM master now. Costs a few system calls, cheap enough for
  /// each vblank. Errors: EBUSY or EACCES if another process is DRM master, ENODEV if the card was unplugged.
  [[nodiscard]] virtual base::Result<void> check_master() { return {}; }

  /// Returns the mapping counters of this card's buffers.
  [[nodiscard]] virtual MappingStatistics mapping_statistics() const { return {}; }

  /// Drops all mappings that are not in access; call it when the system is short of memory (MemoryPressure).
  /// A later access makes the mapping again.
  virtual void release_mappings() {}

  /// Shows the buffer of `frame` from its origin on an output with a mode, and makes the pixels inside the
  /// damage visible. Returns when the driver has received them.
  ///
  /// The damage is in buffer coordinates, lies inside the buffer and has at most max_damage_rects rectangles;
  /// empty means that nothing changed. Errors: EINVAL if the damage violates these limits or the output has
  /// no mode.
  [[nodiscard]] base::Result<void> present(const Frame& frame) { return present_all({&frame, 1}).front(); }

  /// Calls present() for several outputs, each at most once, and waits only once for all page flips. So two
  /// outputs show as many frames as one. Returns one result for each frame.
  [[nodiscard]] virtual std::vector<base::Result<void>> present_all(std::span<const Frame> frames) = 0;

  /// Returns a descriptor for poll(2) that is readable if read_events() has events.
  [[nodiscard]] virtual int event_descriptor() const = 0;
  /// Returns the pending events. Does not block.
  [[nodiscard]] virtual base::Result<std::vector<Event>> read_events() = 0;

 protected:
  Card() = default;
};

}  // namespace drmclient
