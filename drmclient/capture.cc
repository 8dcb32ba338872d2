#include "drmclient/capture.h"

#include <pixman.h>

#include <memory>

#include "drmclient/pixman_format.h"

namespace drmclient {
namespace {

struct ImageUnref {
  void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
};
using Image = std::unique_ptr<pixman_image_t, ImageUnref>;

Image wrap(pixman_format_code_t format, Size size, void* data, uint32_t pitch_bytes) {
  return Image(pixman_image_create_bits_no_clear(format, static_cast<int>(size.width),
                                                 static_cast<int>(size.height), static_cast<uint32_t*>(data),
                                                 static_cast<int>(pitch_bytes)));
}

}  // namespace

base::Result<Capture> capture_pixels(std::byte* data, const ScanoutBuffer& like, const Rect& area) {
  Capture capture;
  capture.size = {area.width(), area.height()};
  capture.pixels.resize(capture.size.area());
  const Image source = wrap(pixman_format(like.format()), like.size(), data, like.pitch_bytes());
  const Image target =
      wrap(PIXMAN_x8r8g8b8, capture.size, capture.pixels.data(), capture.size.width * sizeof(uint32_t));
  if (!source || !target) return base::failure(ENOMEM);
  pixman_image_composite32(PIXMAN_OP_SRC, source.get(), nullptr, target.get(), area.x1, area.y1, 0, 0, 0, 0,
                           static_cast<int>(capture.size.width), static_cast<int>(capture.size.height));
  // The X byte has an arbitrary value in the buffer, and is 0 in a capture.
  for (uint32_t& pixel : capture.pixels) pixel &= 0x00ffffff;
  return capture;
}

base::Result<Capture> capture_buffer(ScanoutBuffer& buffer, const Rect& area) {
  const Access access = BASE_TRY(buffer.begin_access(AccessMode::read));
  return capture_pixels(access.data(), buffer, area);
}

}  // namespace drmclient
