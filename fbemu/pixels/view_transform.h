#pragma once

#include <cstdint>

#include "drmclient/geometry.h"

namespace fbemu {

/// How the picture is turned on its way to the output, with the values of FB_ROTATE_*.
enum class Rotation : uint32_t { none = 0, clockwise = 1, half_turn = 2, counterclockwise = 3 };

/// One rotation after the other.
[[nodiscard]] constexpr Rotation operator+(Rotation a, Rotation b) {
  return static_cast<Rotation>((static_cast<uint32_t>(a) + static_cast<uint32_t>(b)) % 4);
}
/// Whether width and height change places.
[[nodiscard]] constexpr bool swaps_sides(Rotation rotation) {
  return rotation == Rotation::clockwise || rotation == Rotation::counterclockwise;
}
[[nodiscard]] constexpr drmclient::Size turned(drmclient::Size size, Rotation rotation) {
  return swaps_sides(rotation) ? drmclient::Size{size.height, size.width} : size;
}

/// What to do with a picture that has not the output's size. One that is larger is made smaller by all of
/// them.
enum class Scaling {
  none,     ///< a pixel is a pixel, in the middle
  fit,      ///< as large as the output allows, with its proportions
  integer,  ///< as `fit`, but each pixel becomes a square of whole pixels
};

/// Where the visible part of a framebuffer ("view") comes to lie on an output.
class ViewTransform {
 public:
  ViewTransform() = default;
  ViewTransform(drmclient::Size view, Rotation rotation, Scaling scaling, drmclient::Size output);
  friend bool operator==(const ViewTransform&, const ViewTransform&) = default;

  /// Neither turned nor scaled: each pixel of the view is one of the output, moved by target().
  [[nodiscard]] bool is_plain() const { return rotation_ == Rotation::none && target_.size() == view_; }
  /// Scaled by something else than a whole number: pixels are mixed of their neighbours.
  [[nodiscard]] bool blends() const;
  /// Where the whole view comes to lie, inside the output; around it the output is black.
  [[nodiscard]] const drmclient::Rect& target() const { return target_; }
  [[nodiscard]] bool covers_output() const { return target_.size() == output_; }

  /// The smallest rectangle of the output that shows all that depends on `view_part`.
  [[nodiscard]] drmclient::Rect to_output(const drmclient::Rect& view_part) const;

  /// A point of the view from one of the output, both exact: x = xx * X + xy * Y + x0, y alike.
  struct Affine {
    double xx = 1, xy = 0, x0 = 0;
    double yx = 0, yy = 1, y0 = 0;
  };
  [[nodiscard]] Affine to_view() const;

 private:
  drmclient::Size view_;
  drmclient::Size output_;
  Rotation rotation_ = Rotation::none;
  drmclient::Rect target_;
};

}  // namespace fbemu
