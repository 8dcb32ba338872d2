#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/timer_fd.h"
#include "drmclient/events.h"
#include "drmclient/headless/headless_buffer.h"
#include "drmclient/headless_options.h"
#include "drmclient/mode.h"
#include "drmclient/output.h"

namespace drmclient {

/// Largest mode and buffer of a HeadlessCard.
inline constexpr Size largest_headless_size{8192, 8192};

/// Returns true if a headless card accepts a mode of `size`.
[[nodiscard]] bool is_headless_mode(Size size);

/// An output of a HeadlessCard, always connected: its mode, the buffer on the screen, and a timer for its
/// vblanks.
class HeadlessOutput final : public Output {
 public:
  /// Length of the gamma table.
  static constexpr uint32_t gamma_entries = 256;

  /// Makes the output "Virtual-N" without a mode; N is `number`. Throws std::system_error.
  HeadlessOutput(unsigned number, const HeadlessOptions& options);
  HeadlessOutput(const HeadlessOutput&) = delete;
  HeadlessOutput& operator=(const HeadlessOutput&) = delete;
  ~HeadlessOutput() override = default;

  [[nodiscard]] const OutputInfo& info() const override { return info_; }
  [[nodiscard]] base::Result<void> set_mode(const Mode& mode, ScanoutBuffer& buffer, Point origin) override;
  void release() override { front_ = nullptr; }
  [[nodiscard]] DriverPaths driver_paths() const override;
  [[nodiscard]] base::Result<void> set_gamma(std::span<const GammaEntry> table) override;
  [[nodiscard]] base::Result<void> set_power(Power power) override;
  [[nodiscard]] base::Result<void> request_vblank() override;
  [[nodiscard]] base::Result<Capture> capture() override;

  /// Presents a frame, as Card::present() does.
  [[nodiscard]] base::Result<void> present(ScanoutBuffer& buffer, Point origin, std::span<const Rect> damage);
  /// Returns the requested vblank if it has passed.
  [[nodiscard]] std::optional<VblankEvent> read_vblank();
  /// Returns a descriptor that is readable if read_vblank() may have an event.
  [[nodiscard]] int vblank_descriptor() const { return vblank_timer_.get(); }

  /// Returns the last power level.
  [[nodiscard]] Power power() const { return power_; }
  /// Returns the last gamma table; empty if none was loaded.
  [[nodiscard]] const std::vector<GammaEntry>& gamma() const { return gamma_; }

 private:
  [[nodiscard]] bool is_flip(const HeadlessBuffer& buffer, Point origin) const {
    return &buffer != front_ || origin != origin_;
  }
  [[nodiscard]] uint64_t frames_since_start(std::chrono::steady_clock::time_point now) const;
  [[nodiscard]] std::chrono::steady_clock::time_point frame_time(uint64_t frame) const;

  OutputInfo info_;
  Power power_ = Power::on;
  std::vector<GammaEntry> gamma_;
  base::TimerFd vblank_timer_;
  bool vblank_requested_ = false;
  Mode mode_;
  std::chrono::steady_clock::time_point mode_start_;
  uint64_t frames_before_mode_ = 0;  ///< of all earlier modes
  HeadlessBuffer* front_ = nullptr;
  Point origin_;
};

}  // namespace drmclient
