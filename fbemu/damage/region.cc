#include "fbemu/damage/region.h"

#include <algorithm>
#include <utility>

namespace fbemu {

using drmclient::Rect;

Region::Region(std::span<const Rect> rects) {
  std::vector<pixman_box32_t> boxes;
  boxes.reserve(rects.size());
  for (const Rect& rect : rects) {
    if (!rect.empty()) boxes.push_back({rect.x1, rect.y1, rect.x2, rect.y2});
  }
  pixman_region32_init_rects(&region_, boxes.data(), static_cast<int>(boxes.size()));
}

Region::Region(Region&& other) noexcept : Region() {
  std::swap(region_, other.region_);
}

Region& Region::operator=(const Region& other) {
  if (this != &other) pixman_region32_copy(&region_, &other.region_);
  return *this;
}

Region& Region::operator=(Region&& other) noexcept {
  std::swap(region_, other.region_);
  return *this;
}

void Region::add(const Region& other) {
  pixman_region32_union(&region_, &region_, &other.region_);
}

void Region::add(const Rect& rect) {
  if (!rect.empty()) {
    pixman_region32_union_rect(&region_, &region_, rect.x1, rect.y1, rect.width(), rect.height());
  }
}

void Region::clip_to(const Rect& bounds) {
  if (bounds.empty()) return clear();  // because pixman would keep an empty rectangle
  pixman_region32_intersect_rect(&region_, &region_, bounds.x1, bounds.y1, bounds.width(), bounds.height());
}

void Region::translate(int32_t dx, int32_t dy) {
  pixman_region32_translate(&region_, dx, dy);
}

void Region::clear() {
  pixman_region32_clear(&region_);
}

bool Region::empty() const {
  return pixman_region32_not_empty(&region_) == 0;
}

bool Region::contains(int32_t x, int32_t y) const {
  return pixman_region32_contains_point(&region_, x, y, nullptr) != 0;
}

uint64_t Region::area() const {
  uint64_t pixels = 0;
  for (const Rect& rect : rects()) pixels += rect.area();
  return pixels;
}

std::vector<Rect> Region::rects() const {
  int count = 0;
  const pixman_box32_t* boxes = pixman_region32_rectangles(&region_, &count);
  std::vector<Rect> rects;
  rects.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) rects.push_back({boxes[i].x1, boxes[i].y1, boxes[i].x2, boxes[i].y2});
  return rects;
}

namespace {

/// Joins the rectangles of each band, which is a run of lines with equal columns, into one.
std::vector<Rect> join_columns(const std::vector<Rect>& rects) {
  std::vector<Rect> bands;
  for (const Rect& rect : rects) {
    if (!bands.empty() && bands.back().y1 == rect.y1) {
      bands.back().x1 = std::min(bands.back().x1, rect.x1);
      bands.back().x2 = std::max(bands.back().x2, rect.x2);
    } else {
      bands.push_back(rect);
    }
  }
  return bands;
}

Rect bounding(const Rect& a, const Rect& b) {
  return {std::min(a.x1, b.x1), std::min(a.y1, b.y1), std::max(a.x2, b.x2), std::max(a.y2, b.y2)};
}

}  // namespace

std::vector<Rect> covering_rects(const Region& region, size_t limit) {
  std::vector<Rect> rects = region.rects();
  if (rects.size() <= limit) return rects;
  std::vector<Rect> bands = join_columns(rects);
  if (bands.size() <= limit) return bands;

  // Joining neighbours i and i+1 adds `waste` pixels that did not change. Joins the pairs with the least
  // waste.
  const size_t joins = bands.size() - limit;
  std::vector<std::pair<uint64_t, size_t>> waste;
  for (size_t i = 0; i + 1 < bands.size(); ++i) {
    const uint64_t both = bounding(bands[i], bands[i + 1]).area();
    waste.emplace_back(both - bands[i].area() - bands[i + 1].area(), i);
  }
  std::nth_element(waste.begin(), waste.begin() + static_cast<ptrdiff_t>(joins - 1), waste.end());
  std::vector<bool> join_with_next(bands.size());
  for (size_t i = 0; i < joins; ++i) join_with_next[waste[i].second] = true;

  std::vector<Rect> joined;
  for (size_t i = 0; i < bands.size(); ++i) {
    if (i > 0 && join_with_next[i - 1]) {
      joined.back() = bounding(joined.back(), bands[i]);
    } else {
      joined.push_back(bands[i]);
    }
  }
  return joined;
}

}  // namespace fbemu
