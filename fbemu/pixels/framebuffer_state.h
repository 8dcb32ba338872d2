#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/mode.h"
#include "fbemu/damage/byte_range.h"
#include "fbemu/pixels/layout.h"
#include "fbemu/pixels/palette.h"
#include "fbemu/pixels/view_transform.h"

namespace fbemu {

/// A part of the view and its position in the virtual screen.
struct ViewPart {
  drmclient::Rect view;
  drmclient::Point from;  ///< virtual coordinates of view.x1, view.y1
};

/// The state that an output shows: the visible part of the program's virtual screen ("view"), its format, and
/// its transformation.
struct FramebufferState {
  Layout layout;
  drmclient::Size size;     ///< of the view
  drmclient::Point offset;  ///< of the view in layout.virtual_size; inside it, except for lines that wrap
  bool wraps = false;       ///< True if the virtual screen's first line follows its last (FB_VMODE_YWRAP).
  std::shared_ptr<const Palette> palette;  ///< null for true colour
  drmclient::Mode mode;                    ///< of the output
  Rotation rotation = Rotation::none;
  Scaling scaling = Scaling::none;
  friend bool operator==(const FramebufferState&, const FramebufferState&) = default;

  [[nodiscard]] ViewTransform view_transform() const { return {size, rotation, scaling, mode.size()}; }

  /// Returns the whole view: one part, or two if it wraps around.
  [[nodiscard]] std::vector<ViewPart> parts() const {
    const auto width = static_cast<int32_t>(size.width);
    const auto height = static_cast<int32_t>(size.height);
    const uint32_t lines = layout.virtual_size.height;
    const uint32_t first = wraps && lines != 0 ? offset.y % lines : offset.y;
    if (!wraps || uint64_t{first} + size.height <= lines) return {{{0, 0, width, height}, {offset.x, first}}};
    const auto seam = static_cast<int32_t>(lines - first);
    return {{{0, 0, width, seam}, {offset.x, first}}, {{0, seam, width, height}, {offset.x, 0}}};
  }

  /// Returns the range of all visible lines. If the view wraps around, the range also has the lines between.
  [[nodiscard]] ByteRange visible_bytes() const {
    const auto all = parts();
    if (all.size() > 1) return layout.lines(0, layout.virtual_size.height);
    return layout.lines(all.front().from.y, uint64_t{all.front().from.y} + size.height);
  }
};

}  // namespace fbemu
