#include "drmclient/mode.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace drmclient {
namespace {

/// Parses an unsigned decimal number and removes it from `text`.
std::optional<uint32_t> take_number(std::string_view& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

std::optional<uint32_t> parse_refresh(std::string_view text) {
  double hertz = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), hertz, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(hertz)) return std::nullopt;
  if (hertz * 1000 < slowest_millihertz || hertz * 1000 > fastest_millihertz) return std::nullopt;
  return static_cast<uint32_t>(std::lround(hertz * 1000));
}

}  // namespace

uint32_t Mode::refresh_millihertz() const {
  const uint64_t pixels = uint64_t{htotal} * vtotal;
  if (pixels == 0) return 0;
  const uint64_t millihertz = (uint64_t{clock_khz} * 1'000'000 + pixels / 2) / pixels;
  return static_cast<uint32_t>(std::min<uint64_t>(millihertz, std::numeric_limits<uint32_t>::max()));
}

std::chrono::nanoseconds Mode::frame_period() const {
  constexpr uint64_t nanoseconds_times_millihertz = 1'000'000'000'000;
  const uint64_t pixels = uint64_t{htotal} * vtotal;
  if (pixels == 0 || clock_khz == 0) {
    return std::chrono::nanoseconds(nanoseconds_times_millihertz / default_refresh_millihertz);
  }
  // Never 0, because callers divide by it. With totals of 16 bits nothing here overflows.
  return std::chrono::nanoseconds(std::max<uint64_t>(1, pixels * 1'000'000 / clock_khz));
}

base::Result<ModeRequest> parse_mode(std::string_view text) {
  ModeRequest request;
  const auto width = take_number(text);
  if (!width || text.empty() || (text.front() != 'x' && text.front() != 'X')) return base::failure(EINVAL);
  text.remove_prefix(1);
  const auto height = take_number(text);
  if (!height) return base::failure(EINVAL);
  if (*width == 0 || *height == 0 || *width > largest_side || *height > largest_side)
    return base::failure(EINVAL);
  request.size = {*width, *height};
  if (!text.empty()) {
    if (text.front() != '@') return base::failure(EINVAL);
    request.refresh_millihertz = parse_refresh(text.substr(1));
    if (!request.refresh_millihertz) return base::failure(EINVAL);
  }
  return request;
}

Mode make_mode(Size size, uint32_t refresh_millihertz) {
  // CVT reduced blanking: a fixed horizontal blank of 160 pixels, and a vertical blank of at least 460 us.
  constexpr uint32_t horizontal_front_porch = 48;
  constexpr uint32_t horizontal_sync = 32;
  constexpr uint32_t horizontal_blank = 160;
  constexpr uint32_t vertical_front_porch = 3;
  constexpr uint32_t vertical_sync = 8;  // the standard has 10 for aspect ratios that it does not list
  constexpr uint32_t smallest_vertical_blank = vertical_front_porch + vertical_sync + 6;
  constexpr double shortest_vertical_blank_us = 460;

  const double frame_us = 1e9 / refresh_millihertz;
  const double line_us = std::max(frame_us - shortest_vertical_blank_us, frame_us / 2) / size.height;
  const uint32_t vertical_blank =
      std::max(smallest_vertical_blank, static_cast<uint32_t>(shortest_vertical_blank_us / line_us) + 1);

  Mode mode;
  mode.name = std::to_string(size.width) + "x" + std::to_string(size.height);
  mode.hdisplay = size.width;
  mode.hsync_start = mode.hdisplay + horizontal_front_porch;
  mode.hsync_end = mode.hsync_start + horizontal_sync;
  mode.htotal = mode.hdisplay + horizontal_blank;
  mode.vdisplay = size.height;
  mode.vsync_start = mode.vdisplay + vertical_front_porch;
  mode.vsync_end = mode.vsync_start + vertical_sync;
  mode.vtotal = mode.vdisplay + vertical_blank;
  mode.hsync_positive = true;
  mode.vsync_positive = false;
  const uint64_t pixels = uint64_t{mode.htotal} * mode.vtotal;
  mode.clock_khz = static_cast<uint32_t>((pixels * refresh_millihertz + 500'000) / 1'000'000);
  return mode;
}

}  // namespace drmclient
