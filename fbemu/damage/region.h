#pragma once

#include <pixman.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "drmclient/geometry.h"

namespace fbemu {

/// A set of pixels, stored as disjoint rectangles in a pixman region, which sorts them by line and then by
/// column.
class Region {
 public:
  Region() { pixman_region32_init(&region_); }
  /// Makes the union of `rects`; empty ones are ignored.
  explicit Region(std::span<const drmclient::Rect> rects);
  Region(const Region& other) : Region() { add(other); }
  Region(Region&& other) noexcept;
  Region& operator=(const Region& other);
  Region& operator=(Region&& other) noexcept;
  ~Region() { pixman_region32_fini(&region_); }

  void add(const Region& other);
  void add(const drmclient::Rect& rect);
  void clip_to(const drmclient::Rect& bounds);
  /// Moves every pixel by (dx, dy).
  void translate(int32_t dx, int32_t dy);
  void clear();

  [[nodiscard]] bool empty() const;
  [[nodiscard]] bool contains(int32_t x, int32_t y) const;
  /// Returns the number of pixels.
  [[nodiscard]] uint64_t area() const;
  /// Returns the disjoint rectangles of the set, by line and then by column.
  [[nodiscard]] std::vector<drmclient::Rect> rects() const;

 private:
  // Mutable, because pixman takes non-const pointers even to regions that it only reads.
  mutable pixman_region32_t region_{};
};

/// Returns at most `limit` (1 or more) disjoint rectangles that cover `region`. Joins rectangles of the same
/// lines first, because the pixels between them are cheap to copy, and then the closest bands of lines.
[[nodiscard]] std::vector<drmclient::Rect> covering_rects(const Region& region, size_t limit);

}  // namespace fbemu
