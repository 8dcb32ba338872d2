#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/scanout_buffer.h"
#include "fbemu/layout.h"
#include "fbemu/program_pages.h"
#include "fbemu/shadow.h"

namespace fbemu {

/// Copies the program's pixels to a scan-out buffer, converting them where the formats differ. The pixel at
/// `offset` in the program's virtual screen comes to (0, 0) of the buffer. Used by one thread.
class Uploader {
 public:
  /// Uploads `rects` (virtual coordinates, inside both the virtual screen and the part that the buffer shows)
  /// from the shadow. The shadow is held for short stretches only. Errors: ENOMEM.
  static drmclient::Result<void> upload(const Shadow& shadow, const Layout& layout, drmclient::Point offset,
                                        std::span<const drmclient::Rect> rects,
                                        drmclient::ScanoutBuffer& buffer);

  /// Uploads all that the buffer shows, as programs see it now. Errors: those of ProgramPages::read(),
  /// ENOMEM.
  drmclient::Result<void> upload_live(ProgramPages& pages, const Layout& layout, drmclient::Point offset,
                                      drmclient::ScanoutBuffer& buffer);

 private:
  std::vector<std::byte> staging_;
};

}  // namespace fbemu
