#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/scanout_buffer.h"
#include "fbemu/damage/backing_store.h"
#include "fbemu/frontend/program_pages.h"
#include "fbemu/pixels/framebuffer_state.h"
#include "fbemu/pixels/pixel_converter.h"

namespace fbemu {

/// Copies a program's pixels to a scan-out buffer of the state's mode. It converts them if the formats
/// differ, and applies the state's view_transform(). Used by one thread, for one output.
class Uploader {
 public:
  /// Uploads `rects` (of the view) from the backing store, which is locked for short periods only. If the
  /// state rotates or scales the picture, the whole view must have been uploaded before. Errors: ENOMEM.
  base::Result<void> upload(const BackingStore& backing_store, const FramebufferState& fb_state,
                            std::span<const drmclient::Rect> rects, drmclient::ScanoutBuffer& buffer);

  /// Uploads the whole view from the page cache of programs. Errors: those of ProgramPages::read(); ENOMEM.
  base::Result<void> upload_live(ProgramPages& pages, const FramebufferState& fb_state,
                                 drmclient::ScanoutBuffer& buffer);

  /// Fills the border around the picture with black.
  static base::Result<void> clear_border(const FramebufferState& fb_state, drmclient::ScanoutBuffer& buffer);

 private:
  /// Function that calls `use` with lines from a source.
  using UseLines = std::function<base::Result<void>(const ProgramPixels&)>;
  using WithLines = std::function<base::Result<void>(const Layout& layout, drmclient::Point from,
                                                     uint32_t width, uint32_t lines, const UseLines& use)>;
  base::Result<void> convert_part(const FramebufferState& fb_state, const ViewPart& part,
                                  const Pixels& target, const WithLines& with_lines);
  base::Result<void> convert_view(const FramebufferState& fb_state, const drmclient::Rect& rect,
                                  const Pixels& target, const WithLines& with_lines);
  base::Result<void> read_live(ProgramPages& pages, const FramebufferState& fb_state, const Pixels& target);
  Pixels picture_of(const FramebufferState& fb_state);
  base::Result<void> transform(const FramebufferState& fb_state, const drmclient::Rect& rect,
                               const Pixels& target);

  PixelConverter converter_;
  std::vector<std::byte> lines_;    ///< a band of lines from the page cache, before conversion
  std::vector<std::byte> picture_;  ///< the view as XRGB8888, before it is rotated or scaled
};

}  // namespace fbemu
