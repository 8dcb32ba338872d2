#include "fbemu/layout.h"

#include <algorithm>
#include <vector>

namespace fbemu {
namespace {

using drmclient::Rect;

Rect make_rect(uint64_t x1, uint64_t y1, uint64_t x2, uint64_t y2) {
  return {static_cast<int32_t>(x1), static_cast<int32_t>(y1), static_cast<int32_t>(x2),
          static_cast<int32_t>(y2)};
}

/// Up to three rectangles: the rest of the first line, whole lines, the start of the last line.
void append_rects(const ByteRange& range, const Layout& layout, std::vector<Rect>& rects) {
  const uint64_t pitch = layout.pitch_bytes;
  const uint64_t width = layout.virtual_size.width;
  const uint64_t height = layout.virtual_size.height;
  const ByteRange inside = range.clipped_to({0, pitch * height});
  if (inside.empty()) return;

  const uint64_t first_line = inside.begin / pitch;
  const uint64_t last_line = (inside.end - 1) / pitch;
  const uint64_t bits = layout.format.bits_per_pixel;
  const uint64_t first_x = std::min(inside.begin % pitch * 8 / bits, width);
  const uint64_t end_x = std::min((((inside.end - 1) % pitch + 1) * 8 + bits - 1) / bits, width);

  if (first_line == last_line) {
    rects.push_back(make_rect(first_x, first_line, end_x, first_line + 1));
    return;
  }
  rects.push_back(make_rect(first_x, first_line, width, first_line + 1));
  rects.push_back(make_rect(0, first_line + 1, width, last_line));
  rects.push_back(make_rect(0, last_line, end_x, last_line + 1));
}

}  // namespace

Region pixels_in(std::span<const ByteRange> ranges, const Layout& layout) {
  std::vector<Rect> rects;
  for (const ByteRange& range : ranges) append_rects(range, layout, rects);
  return Region(rects);
}

}  // namespace fbemu
