#pragma once

#include <algorithm>
#include <cstdint>

namespace drmclient {

/// A position in pixels.
struct Point {
  uint32_t x = 0;  ///< columns from the left
  uint32_t y = 0;  ///< lines from the top
  friend bool operator==(const Point&, const Point&) = default;
};

/// A size in pixels, or in millimetres if a name says so.
struct Size {
  uint32_t width = 0;   ///< columns
  uint32_t height = 0;  ///< lines
  friend bool operator==(const Size&, const Size&) = default;
  /// Returns width times height, which may need more than 32 bits.
  [[nodiscard]] uint64_t area() const { return uint64_t{width} * height; }
};

/// A half-open rectangle in pixels: x1 <= x < x2, y1 <= y < y2. The members are those of struct
/// drm_mode_rect.
struct Rect {
  int32_t x1 = 0;  ///< first column
  int32_t y1 = 0;  ///< first line
  int32_t x2 = 0;  ///< column after the last one
  int32_t y2 = 0;  ///< line after the last one
  friend bool operator==(const Rect&, const Rect&) = default;

  /// Returns the rectangle of `size` whose top left pixel is at `origin`.
  static Rect of(Size size, Point origin = {}) {
    return {static_cast<int32_t>(origin.x), static_cast<int32_t>(origin.y),
            static_cast<int32_t>(origin.x + size.width), static_cast<int32_t>(origin.y + size.height)};
  }
  /// Returns true if the rectangle contains no pixel. Its end may be less than its start then.
  [[nodiscard]] bool empty() const { return x1 >= x2 || y1 >= y2; }
  /// Returns the number of columns; 0 if empty.
  [[nodiscard]] uint32_t width() const { return empty() ? 0U : static_cast<uint32_t>(x2 - x1); }
  /// Returns the number of lines; 0 if empty.
  [[nodiscard]] uint32_t height() const { return empty() ? 0U : static_cast<uint32_t>(y2 - y1); }
  /// Returns width and height; 0x0 if empty.
  [[nodiscard]] Size size() const { return {width(), height()}; }
  /// Returns the number of pixels; 0 if empty.
  [[nodiscard]] uint64_t area() const { return size().area(); }
  /// Returns the part of this rectangle inside `bounds`; empty() if they are disjoint.
  [[nodiscard]] Rect clipped_to(const Rect& bounds) const {
    return {std::max(x1, bounds.x1), std::max(y1, bounds.y1), std::min(x2, bounds.x2),
            std::min(y2, bounds.y2)};
  }
};

/// Returns true if the rectangle of `size` at `origin` lies inside a buffer of the size `bounds`.
[[nodiscard]] inline bool is_inside(Size size, Point origin, Size bounds) {
  return uint64_t{origin.x} + size.width <= bounds.width && uint64_t{origin.y} + size.height <= bounds.height;
}

}  // namespace drmclient
