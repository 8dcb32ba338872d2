#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace benchmark {

/// Memory to draw on: a framebuffer's mapping, or plain shared memory of the same size.
struct Canvas {
  std::span<uint32_t> pixels;  ///< the visible lines
  int descriptor = -1;         ///< descriptor of the framebuffer; -1 for plain memory
  uint32_t pitch_bytes = 0;
};

/// An amount of work and the time that it took.
struct Score {
  uint64_t count = 0;
  double seconds = 0;
  [[nodiscard]] double per_second() const { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }
};

using Seconds = std::chrono::duration<double>;

/// Draws whole screens, stored pixel by pixel.
[[nodiscard]] Score full_stores(const Canvas& canvas, Seconds length);
/// Draws whole screens, copied from private memory.
[[nodiscard]] Score full_copies(const Canvas& canvas, Seconds length);
/// Draws single pixels at random positions.
[[nodiscard]] Score scattered_pixels(const Canvas& canvas, Seconds length);
/// Draws whole screens at 60 Hz, and counts those drawn within their sixtieth of a second.
[[nodiscard]] Score paced_frames(const Canvas& canvas, Seconds length);
/// Writes whole screens with pwrite(2). Requires a descriptor.
[[nodiscard]] Score full_writes(const Canvas& canvas, Seconds length);
/// Writes single lines with pwrite(2). Requires a descriptor.
[[nodiscard]] Score line_writes(const Canvas& canvas, Seconds length);
/// Calls FBIOGET_VSCREENINFO. Requires a descriptor.
[[nodiscard]] Score ioctls(const Canvas& canvas, Seconds length);
/// Does nothing.
[[nodiscard]] Score idle(const Canvas& canvas, Seconds length);

}  // namespace benchmark
