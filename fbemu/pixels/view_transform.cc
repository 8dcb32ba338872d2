#include "fbemu/pixels/view_transform.h"

#include <algorithm>
#include <cmath>

namespace fbemu {
namespace {

using drmclient::Rect;
using drmclient::Size;

Rect centred(Size size, Size output) {
  const auto x = static_cast<int32_t>((output.width - size.width) / 2);
  const auto y = static_cast<int32_t>((output.height - size.height) / 2);
  return {x, y, x + static_cast<int32_t>(size.width), y + static_cast<int32_t>(size.height)};
}

/// Returns `size` scaled to fit `output`, with its proportions.
Size fitted(Size size, Size output) {
  const uint64_t by_width = uint64_t{output.width} * size.height;
  const uint64_t by_height = uint64_t{output.height} * size.width;
  if (by_width <= by_height) {
    return {output.width, std::max(static_cast<uint32_t>(by_width / size.width), 1U)};
  }
  return {std::max(static_cast<uint32_t>(by_height / size.height), 1U), output.height};
}

Size scaled(Size size, Scaling scaling, Size output) {
  if (size.width > output.width || size.height > output.height || scaling == Scaling::fit) {
    return fitted(size, output);
  }
  if (scaling == Scaling::none) return size;
  const uint32_t factor = std::min(output.width / size.width, output.height / size.height);
  return {size.width * factor, size.height * factor};
}

}  // namespace

ViewTransform::ViewTransform(Size view, Rotation rotation, Scaling scaling, Size output)
    : view_(view), output_(output), rotation_(rotation) {
  if (view.area() != 0 && output.area() != 0)
    target_ = centred(scaled(turned(view, rotation), scaling, output), output);
}

bool ViewTransform::blends() const {
  const Size upright = turned(view_, rotation_);
  const Size size = target_.size();
  return upright.area() != 0 && (size.width % upright.width != 0 || size.height % upright.height != 0);
}

/// Computes with u = X - target.x1 and v = Y - target.y1, scaled to pixels of the rotated view.
ViewTransform::Affine ViewTransform::to_view() const {
  const Size upright = turned(view_, rotation_);
  const Size size = target_.size();
  if (size.area() == 0) return {};
  const double sx = double{1} * upright.width / size.width;
  const double sy = double{1} * upright.height / size.height;
  const double u0 = -target_.x1 * sx;
  const double v0 = -target_.y1 * sy;
  const double width = view_.width;
  const double height = view_.height;
  switch (rotation_) {
    case Rotation::clockwise:  // the view's top is on the right
      return {0, sy, v0, -sx, 0, height - u0};
    case Rotation::half_turn:
      return {-sx, 0, width - u0, 0, -sy, height - v0};
    case Rotation::counterclockwise:  // the view's top is on the left
      return {0, -sy, width - v0, sx, 0, u0};
    case Rotation::none:
      break;
  }
  return {sx, 0, u0, 0, sy, v0};
}

Rect ViewTransform::to_output(const Rect& part) const {
  if (is_plain()) {
    return {part.x1 + target_.x1, part.y1 + target_.y1, part.x2 + target_.x1, part.y2 + target_.y1};
  }
  // Blending also reads the neighbouring pixels.
  const int32_t margin = blends() ? 1 : 0;
  const double x1 = part.x1 - margin;
  const double y1 = part.y1 - margin;
  const double x2 = part.x2 + margin;
  const double y2 = part.y2 + margin;
  const double width = view_.width;
  const double height = view_.height;
  double u1 = x1;
  double v1 = y1;
  double u2 = x2;
  double v2 = y2;
  if (rotation_ == Rotation::clockwise) {
    u1 = height - y2, v1 = x1, u2 = height - y1, v2 = x2;
  } else if (rotation_ == Rotation::half_turn) {
    u1 = width - x2, v1 = height - y2, u2 = width - x1, v2 = height - y1;
  } else if (rotation_ == Rotation::counterclockwise) {
    u1 = y1, v1 = width - x2, u2 = y2, v2 = width - x1;
  }
  const Size upright = turned(view_, rotation_);
  const Size size = target_.size();
  const double sx = double{1} * size.width / std::max(upright.width, 1U);
  const double sy = double{1} * size.height / std::max(upright.height, 1U);
  const auto down = [](double value) { return static_cast<int32_t>(std::floor(value)); };
  const auto up = [](double value) { return static_cast<int32_t>(std::ceil(value)); };
  return {std::max(target_.x1 + down(u1 * sx), target_.x1), std::max(target_.y1 + down(v1 * sy), target_.y1),
          std::min(target_.x1 + up(u2 * sx), target_.x2), std::min(target_.y1 + up(v2 * sy), target_.y2)};
}

}  // namespace fbemu
