#pragma once

#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "fbemu/byte_range.h"
#include "fbemu/layout.h"

namespace fbemu {

/// What is to be shown: a timing, and the part of the program's virtual screen that it shows.
struct Scene {
  Layout layout;
  drmclient::Point offset;  ///< offset + mode.size() lies inside layout.virtual_size
  drmclient::Mode mode;
  friend bool operator==(const Scene&, const Scene&) = default;

  /// The visible part in virtual coordinates.
  [[nodiscard]] drmclient::Rect visible() const {
    const drmclient::Size size = mode.size();
    return {static_cast<int32_t>(offset.x), static_cast<int32_t>(offset.y),
            static_cast<int32_t>(offset.x + size.width), static_cast<int32_t>(offset.y + size.height)};
  }
  /// The bytes of the visible lines.
  [[nodiscard]] ByteRange visible_bytes() const {
    return layout.lines(offset.y, uint64_t{offset.y} + mode.size().height);
  }
};

}  // namespace fbemu
