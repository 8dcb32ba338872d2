#include "tests/benchmark/drawing.h"

#include <linux/fb.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <system_error>
#include <thread>
#include <vector>

namespace benchmark {
namespace {

using Clock = std::chrono::steady_clock;

/// Calls `step` until `length` has passed, and adds up its results.
template <typename Step>
Score repeat(Seconds length, Step step) {
  Score score;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(length);
  Clock::time_point now = start;
  while (now < end) {
    score.count += step();
    now = Clock::now();
  }
  score.seconds = Seconds(now - start).count();
  return score;
}

/// Fills pixels with stores that the compiler may neither drop nor merge across frames.
void fill(std::span<uint32_t> pixels, uint32_t value) {
  for (uint32_t& pixel : pixels) pixel = value;
  asm volatile("" : : "r"(pixels.data()) : "memory");
}

void write_all(const Canvas& canvas, std::span<const std::byte> bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(canvas.descriptor, bytes.data(), bytes.size(), offset);
    if (written <= 0) throw std::system_error(errno, std::generic_category(), "pwrite");
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += written;
  }
}

}  // namespace

Score full_stores(const Canvas& canvas, Seconds length) {
  uint32_t value = 0;
  return repeat(length, [&] {
    fill(canvas.pixels, value += 0x010203);
    return 1U;
  });
}

Score full_copies(const Canvas& canvas, Seconds length) {
  const std::vector<uint32_t> picture(canvas.pixels.size(), 0x336699);
  return repeat(length, [&] {
    std::copy(picture.begin(), picture.end(), canvas.pixels.begin());
    asm volatile("" : : "r"(canvas.pixels.data()) : "memory");
    return 1U;
  });
}

Score scattered_pixels(const Canvas& canvas, Seconds length) {
  constexpr unsigned pixels_per_step = 256;
  std::minstd_rand random(1);  // NOLINT: the same pixels in every run
  std::uniform_int_distribution<size_t> anywhere(0, canvas.pixels.size() - 1);
  return repeat(length, [&] {
    for (unsigned i = 0; i < pixels_per_step; ++i) canvas.pixels[anywhere(random)] = i;
    asm volatile("" : : "r"(canvas.pixels.data()) : "memory");
    return pixels_per_step;
  });
}

Score paced_frames(const Canvas& canvas, Seconds length) {
  constexpr auto period = std::chrono::nanoseconds(1'000'000'000 / 60);
  Score score;
  const auto start = Clock::now();
  const auto frames = static_cast<uint64_t>(length / period);
  uint32_t value = 0;
  for (uint64_t frame = 0; frame < frames; ++frame) {
    const auto due = start + period * static_cast<int64_t>(frame);
    std::this_thread::sleep_until(due);
    fill(canvas.pixels, value += 0x030201);
    if (Clock::now() < due + period) ++score.count;
  }
  score.seconds = Seconds(period * static_cast<int64_t>(frames)).count();
  return score;
}

Score full_writes(const Canvas& canvas, Seconds length) {
  const std::vector<uint32_t> picture(canvas.pixels.size(), 0x669933);
  return repeat(length, [&] {
    write_all(canvas, std::as_bytes(std::span(picture)), 0);
    return 1U;
  });
}

Score line_writes(const Canvas& canvas, Seconds length) {
  const std::vector<std::byte> line(canvas.pitch_bytes, std::byte{0x55});
  const uint64_t lines = canvas.pixels.size_bytes() / canvas.pitch_bytes;
  uint64_t next = 0;
  return repeat(length, [&] {
    write_all(canvas, line, static_cast<off_t>(next++ % lines * canvas.pitch_bytes));
    return 1U;
  });
}

Score ioctls(const Canvas& canvas, Seconds length) {
  fb_var_screeninfo var{};
  return repeat(length, [&] {
    if (::ioctl(canvas.descriptor, FBIOGET_VSCREENINFO, &var) != 0) {
      throw std::system_error(errno, std::generic_category(), "FBIOGET_VSCREENINFO");
    }
    return 1U;
  });
}

Score idle(const Canvas&, Seconds length) {
  std::this_thread::sleep_for(length);
  return {0, length.count()};
}

}  // namespace benchmark
