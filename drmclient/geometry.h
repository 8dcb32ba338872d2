#pragma once

#include <algorithm>
#include <cstdint>

namespace drmclient {

/// A position in pixels.
struct Point {
  uint32_t x = 0;
  uint32_t y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

/// A size in pixels (or, where a name says so, in millimetres).
struct Size {
  uint32_t width = 0;
  uint32_t height = 0;
  friend bool operator==(const Size&, const Size&) = default;
  [[nodiscard]] uint64_t area() const { return uint64_t{width} * height; }
};

/// A half-open rectangle in pixels: x1 <= x < x2, y1 <= y < y2; the same members as struct drm_mode_rect.
struct Rect {
  int32_t x1 = 0;
  int32_t y1 = 0;
  int32_t x2 = 0;
  int32_t y2 = 0;
  friend bool operator==(const Rect&, const Rect&) = default;

  /// The rectangle from (0, 0) that covers `size`.
  static Rect of(Size size) {
    return {0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  }
  [[nodiscard]] bool empty() const { return x1 >= x2 || y1 >= y2; }
  [[nodiscard]] uint32_t width() const { return empty() ? 0U : static_cast<uint32_t>(x2 - x1); }
  [[nodiscard]] uint32_t height() const { return empty() ? 0U : static_cast<uint32_t>(y2 - y1); }
  [[nodiscard]] Size size() const { return {width(), height()}; }
  [[nodiscard]] uint64_t area() const { return size().area(); }
  /// The part of this rectangle inside `bounds`; empty() where they do not meet.
  [[nodiscard]] Rect clipped_to(const Rect& bounds) const {
    return {std::max(x1, bounds.x1), std::max(y1, bounds.y1), std::min(x2, bounds.x2),
            std::min(y2, bounds.y2)};
  }
};

}  // namespace drmclient
