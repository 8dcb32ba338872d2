#pragma once

#include <pixman.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "drmclient/geometry.h"

namespace fbemu {

/// A set of pixels, kept as disjoint rectangles (a pixman region, which sorts them by line and then by
/// column).
class Region {
 public:
  Region() { pixman_region32_init(&region_); }
  /// The union of `rects`; empty ones are passed over.
  explicit Region(std::span<const drmclient::Rect> rects);
  Region(const Region& other) : Region() { add(other); }
  Region(Region&& other) noexcept;
  Region& operator=(const Region& other);
  Region& operator=(Region&& other) noexcept;
  ~Region() { pixman_region32_fini(&region_); }

  void add(const Region& other);
  void add(const drmclient::Rect& rect);
  void clip_to(const drmclient::Rect& bounds);
  /// Moves every pixel of the set.
  void translate(int32_t dx, int32_t dy);
  void clear();

  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool contains(int32_t x, int32_t y) const;
  /// The number of pixels.
  [[nodiscard]] uint64_t area() const;
  /// Disjoint rectangles that make up the set, by line and then by column.
  [[nodiscard]] std::vector<drmclient::Rect> rects() const;

 private:
  // pixman takes pointers to non-const where it does not change the region.
  mutable pixman_region32_t region_{};
};

/// At most `limit` (1 or more) disjoint rectangles that cover `region`. Where it has more, whole lines are
/// joined first (what lies between two rectangles of the same lines is cheap to copy), then bands of lines
/// that lie closest together.
[[nodiscard]] std::vector<drmclient::Rect> covering_rects(const Region& region, size_t limit);

}  // namespace fbemu
