#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace benchmark {

/// Memory to draw on: a framebuffer's mapping, or plain shared memory of the same size.
struct Canvas {
  std::span<uint32_t> pixels;  ///< the visible lines
  int descriptor = -1;         ///< of the framebuffer; -1 for plain memory
  uint32_t pitch_bytes = 0;
};

/// How much of something was done in which time.
struct Score {
  uint64_t count = 0;
  double seconds = 0;
  [[nodiscard]] double per_second() const { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }
};

using Seconds = std::chrono::duration<double>;

/// Whole screens, stored pixel by pixel.
[[nodiscard]] Score full_stores(const Canvas& canvas, Seconds length);
/// Whole screens, copied from private memory.
[[nodiscard]] Score full_copies(const Canvas& canvas, Seconds length);
/// Single pixels anywhere.
[[nodiscard]] Score scattered_pixels(const Canvas& canvas, Seconds length);
/// Whole screens at 60 Hz: each has to be drawn within its sixtieth of a second to count.
[[nodiscard]] Score paced_frames(const Canvas& canvas, Seconds length);
/// Whole screens and single lines by pwrite(2), and FBIOGET_VSCREENINFO; only with a descriptor.
[[nodiscard]] Score full_writes(const Canvas& canvas, Seconds length);
[[nodiscard]] Score line_writes(const Canvas& canvas, Seconds length);
[[nodiscard]] Score ioctls(const Canvas& canvas, Seconds length);
/// Nothing.
[[nodiscard]] Score idle(const Canvas& canvas, Seconds length);

}  // namespace benchmark
