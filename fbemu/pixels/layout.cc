#include "fbemu/pixels/layout.h"

#include <algorithm>
#include <vector>

namespace fbemu {
namespace {

using drmclient::Point;
using drmclient::Rect;
using drmclient::Size;

/// A rectangle of the virtual screen, whose coordinates can exceed the 32 bits of a Rect.
struct VirtualRect {
  uint64_t x1;
  uint64_t y1;
  uint64_t x2;
  uint64_t y2;
};

/// Returns the part of `rect` inside `part`, relative to the corner of `part`.
Rect inside_of(const VirtualRect& part, const VirtualRect& rect) {
  const auto relative = [](uint64_t value, uint64_t low, uint64_t high) {
    return static_cast<int32_t>(std::clamp(value, low, high) - low);
  };
  return {relative(rect.x1, part.x1, part.x2), relative(rect.y1, part.y1, part.y2),
          relative(rect.x2, part.x1, part.x2), relative(rect.y2, part.y1, part.y2)};
}

/// Appends up to three rectangles: the rest of the first line, whole lines, and the start of the last line.
void append_rects(const ByteRange& range, const Layout& layout, const VirtualRect& part,
                  std::vector<Rect>& rects) {
  const ByteRange inside = range.clipped_to(layout.lines(part.y1, part.y2));
  if (inside.empty()) return;

  const uint64_t pitch = layout.pitch_bytes;
  const uint64_t width = layout.virtual_size.width;
  const uint64_t first_line = inside.begin / pitch;
  const uint64_t last_line = (inside.end - 1) / pitch;
  const uint64_t bits = layout.format.bits_per_pixel;
  const uint64_t first_x = std::min(inside.begin % pitch * 8 / bits, width);
  const uint64_t end_x = std::min((((inside.end - 1) % pitch + 1) * 8 + bits - 1) / bits, width);

  if (first_line == last_line) {
    rects.push_back(inside_of(part, {first_x, first_line, end_x, first_line + 1}));
    return;
  }
  rects.push_back(inside_of(part, {first_x, first_line, width, first_line + 1}));
  rects.push_back(inside_of(part, {0, first_line + 1, width, last_line}));
  rects.push_back(inside_of(part, {0, last_line, end_x, last_line + 1}));
}

}  // namespace

Region pixels_in(std::span<const ByteRange> ranges, const Layout& layout, Point from, Size size) {
  const auto end_of = [](uint64_t begin, uint64_t length, uint64_t whole) {
    return std::max(begin, std::min(begin + length, whole));
  };
  const VirtualRect part{from.x, from.y, end_of(from.x, size.width, layout.virtual_size.width),
                         end_of(from.y, size.height, layout.virtual_size.height)};
  std::vector<Rect> rects;
  for (const ByteRange& range : ranges) append_rects(range, layout, part, rects);
  return Region(rects);
}

}  // namespace fbemu
