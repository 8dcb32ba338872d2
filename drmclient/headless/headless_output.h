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

/// Of a mode and of a buffer of a HeadlessCard.
inline constexpr Size largest_headless_size{8192, 8192};

/// Whether a headless card has a mode of that size.
[[nodiscard]] bool is_headless_mode(Size size);

/// One output of a HeadlessCard: its monitor, its mode and what it shows, and a timer for its vblanks. The
/// calls are those of Card for this output.
class HeadlessOutput {
 public:
  /// `strict`: HeadlessOptions::strict_display. Throws std::system_error.
  explicit HeadlessOutput(bool strict);

  /// As Card::set_mode().
  [[nodiscard]] base::Result<void> set_mode(const Mode& mode, HeadlessBuffer& buffer, Point origin);
  /// As Card::present().
  [[nodiscard]] base::Result<void> present(HeadlessBuffer& buffer, Point origin,
                                           std::span<const Rect> damage);
  /// As Card::release().
  void release() { front_ = nullptr; }
  /// As Card::request_vblank().
  [[nodiscard]] base::Result<void> request_vblank();
  /// The vblank that was asked for, where it has come.
  [[nodiscard]] std::optional<VblankEvent> read_vblank(OutputId output);
  /// Readable when read_vblank() may have something.
  [[nodiscard]] int vblank_descriptor() const { return vblank_timer_.get(); }
  /// As Card::capture().
  [[nodiscard]] base::Result<Capture> capture();

  /// Null where the output has no mode.
  [[nodiscard]] const HeadlessBuffer* front() const { return front_; }

  bool connected = true;          ///< whether there is a monitor
  std::vector<Size> monitor;      ///< the sizes of its modes; none: any
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
  uint64_t frames_before_mode_ = 0;  ///< of the modes before this one
  HeadlessBuffer* front_ = nullptr;
  Point origin_;
  std::vector<uint32_t> screen_;  ///< where it is strict: what the monitor shows
};

}  // namespace drmclient
