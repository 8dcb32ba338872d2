#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "base/timer_fd.h"
#include "drmclient/card.h"
#include "drmclient/headless/headless_buffer.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"

namespace drmclient {

/// Largest mode and buffer of a HeadlessCard.
inline constexpr Size largest_headless_size{8192, 8192};

/// Returns true if a headless card accepts a mode of `size`.
[[nodiscard]] bool is_headless_mode(Size size);

/// An output of a HeadlessCard: its monitor, its mode, the buffer on the screen, and a timer for its vblanks.
/// The calls are those of Card for this output.
class HeadlessOutput {
 public:
  /// Makes an output without a mode; `strict` is HeadlessOptions::strict_display. Throws std::system_error.
  explicit HeadlessOutput(bool strict);

  /// Does what Card::set_mode() does.
  [[nodiscard]] base::Result<void> set_mode(const Mode& mode, HeadlessBuffer& buffer, Point origin);
  /// Does what Card::present() does.
  [[nodiscard]] base::Result<void> present(HeadlessBuffer& buffer, Point origin,
                                           std::span<const Rect> damage);
  /// Does what Card::release() does.
  void release() { front_ = nullptr; }
  /// Does what Card::request_vblank() does.
  [[nodiscard]] base::Result<void> request_vblank();
  /// Returns the requested vblank if it has passed.
  [[nodiscard]] std::optional<VblankEvent> read_vblank(OutputId output);
  /// Returns a descriptor that is readable if read_vblank() may have an event.
  [[nodiscard]] int vblank_descriptor() const { return vblank_timer_.get(); }
  /// Does what Card::capture() does.
  [[nodiscard]] base::Result<Capture> capture();

  /// Returns the buffer on the screen; null without a mode.
  [[nodiscard]] const HeadlessBuffer* front() const { return front_; }

  bool connected = true;          ///< true if a monitor is connected
  std::vector<Size> monitor;      ///< sizes of its modes; empty: any size
  Power power = Power::on;        ///< as last set
  std::vector<GammaEntry> gamma;  ///< as last loaded

 private:
  base::Result<void> copy_to_screen(HeadlessBuffer& buffer, Point origin, std::span<const Rect> damage);
  [[nodiscard]] bool is_flip(const HeadlessBuffer& buffer, Point origin) const {
    return &buffer != front_ || origin != origin_;
  }
  [[nodiscard]] uint64_t frames_since_start(std::chrono::steady_clock::time_point now) const;
  [[nodiscard]] std::chrono::steady_clock::time_point frame_time(uint64_t frame) const;

  bool strict_;
  base::TimerFd vblank_timer_;
  bool vblank_requested_ = false;
  Mode mode_;
  std::chrono::steady_clock::time_point mode_start_;
  uint64_t frames_before_mode_ = 0;  ///< of all earlier modes
  HeadlessBuffer* front_ = nullptr;
  Point origin_;
  std::vector<uint32_t> screen_;  ///< pixels on the monitor, if strict_
};

}  // namespace drmclient
