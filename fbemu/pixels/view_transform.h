#pragma once

#include <cstdint>

#include "drmclient/geometry.h"

namespace fbemu {

/// The rotation of the picture on the output; the values are those of FB_ROTATE_*.
enum class Rotation : uint32_t { none = 0, clockwise = 1, half_turn = 2, counterclockwise = 3 };

/// Returns the rotation of both, one after the other.
[[nodiscard]] constexpr Rotation operator+(Rotation a, Rotation b) {
  return static_cast<Rotation>((static_cast<uint32_t>(a) + static_cast<uint32_t>(b)) % 4);
}
/// Returns true if the rotation swaps width and height.
[[nodiscard]] constexpr bool swaps_sides(Rotation rotation) {
  return rotation == Rotation::clockwise || rotation == Rotation::counterclockwise;
}
/// Returns the size of a picture of `size` after the rotation.
[[nodiscard]] constexpr drmclient::Size turned(drmclient::Size size, Rotation rotation) {
  return swaps_sides(rotation) ? drmclient::Size{size.height, size.width} : size;
}

/// The scaling of a picture whose size differs from the output's. Each value scales a larger picture down to
/// fit.
enum class Scaling {
  none,     ///< unscaled, centred
  fit,      ///< as large as the output allows, with the picture's proportions
  integer,  ///< as `fit`, but by a whole factor
};

/// The position, rotation and scale of the visible part of a framebuffer ("view") on an output.
class ViewTransform {
 public:
  ViewTransform() = default;
  ViewTransform(drmclient::Size view, Rotation rotation, Scaling scaling, drmclient::Size output);
  friend bool operator==(const ViewTransform&, const ViewTransform&) = default;

  /// Returns true if the view is neither rotated nor scaled, only moved to target().
  [[nodiscard]] bool is_plain() const { return rotation_ == Rotation::none && target_.size() == view_; }
  /// Returns true if the scale is not a whole number, so that output pixels blend neighbouring view pixels.
  [[nodiscard]] bool blends() const;
  /// Returns the rectangle of the output that shows the view. The output is black around it.
  [[nodiscard]] const drmclient::Rect& target() const { return target_; }
  [[nodiscard]] bool covers_output() const { return target_.size() == output_; }

  /// Returns the smallest rectangle of the output that has every pixel that depends on `view_part`.
  [[nodiscard]] drmclient::Rect to_output(const drmclient::Rect& view_part) const;

  /// The map from a point (X, Y) of the output to a point of the view: x = xx * X + xy * Y + x0, and y
  /// likewise.
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
