#include "fbemu/uploader.h"

#include <pixman.h>

#include <algorithm>
#include <climits>
#include <memory>

#include "drmclient/pixman_format.h"

namespace fbemu {
namespace {

using drmclient::Access;
using drmclient::AccessMode;
using drmclient::failure;
using drmclient::Point;
using drmclient::Rect;
using drmclient::Result;
using drmclient::ScanoutBuffer;

/// Bytes that are converted or copied in one go: they stay in a core's cache, and a program whose write is
/// being stored waits for no more than this.
constexpr size_t band_bytes = size_t{256} * 1024;

struct ImageUnref {
  void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
};

/// Pixels in memory: the first one that is meant, and the way to the next line.
struct Pixels {
  std::byte* first;
  uint32_t pitch_bytes;
  drmclient::PixelFormat format;
};

/// Copies width x height pixels. Both images start at the rectangle, so that no side passes pixman's 16-bit
/// limits.
Result<void> convert(const Pixels& from, const Pixels& to, uint32_t width, uint32_t height) {
  using Image = std::unique_ptr<pixman_image_t, ImageUnref>;
  const auto wrap = [&](const Pixels& pixels) {
    // std::byte to uint32_t: pixman's interface; lines are multiples of 4 bytes apart.
    return Image(pixman_image_create_bits_no_clear(
        drmclient::pixman_format(pixels.format), static_cast<int>(width), static_cast<int>(height),
        reinterpret_cast<uint32_t*>(pixels.first), static_cast<int>(pixels.pitch_bytes)));
  };
  const Image source = wrap(from);
  const Image target = wrap(to);
  if (!source || !target) return failure(ENOMEM);
  pixman_image_composite32(PIXMAN_OP_SRC, source.get(), nullptr, target.get(), 0, 0, 0, 0, 0, 0,
                           static_cast<int>(width), static_cast<int>(height));
  return {};
}

uint32_t lines_in_band(uint32_t pitch_bytes) {
  return static_cast<uint32_t>(std::max<size_t>(band_bytes / std::max(pitch_bytes, 1U), 1));
}

/// Reads `height` lines of `line_bytes` each, that lie `pitch_bytes` apart from `offset` on, to lines of
/// `target`.
Result<void> read_lines(ProgramPages& pages, uint64_t offset, uint32_t pitch_bytes, size_t line_bytes,
                        uint32_t height, std::byte* target, uint32_t target_pitch_bytes) {
  if (pitch_bytes != line_bytes) {
    for (uint32_t y = 0; y < height; ++y) {
      const iovec line{target + size_t{y} * target_pitch_bytes, line_bytes};
      const auto read = pages.read(offset + uint64_t{y} * pitch_bytes, {&line, 1});
      if (!read) return read;
    }
    return {};
  }
  std::vector<iovec> lines;
  for (uint32_t y = 0; y < height;) {
    lines.clear();
    const uint32_t first = y;
    for (; y < height && lines.size() < IOV_MAX; ++y) {
      lines.push_back({target + size_t{y} * target_pitch_bytes, line_bytes});
    }
    const auto read = pages.read(offset + uint64_t{first} * pitch_bytes, lines);
    if (!read) return read;
  }
  return {};
}

}  // namespace

Result<void> Uploader::upload(const Shadow& shadow, const Layout& layout, Point offset,
                              std::span<const Rect> rects, ScanoutBuffer& buffer) {
  Result<Access> access = buffer.begin_access(AccessMode::write);
  if (!access) return tl::make_unexpected(access.error());
  const uint32_t source_bytes = drmclient::bytes_per_pixel(layout.format);
  const uint32_t target_bytes = drmclient::bytes_per_pixel(buffer.format());

  for (const Rect& rect : rects) {
    const uint32_t band = lines_in_band(rect.width() * source_bytes);
    for (uint32_t line = 0; line < rect.height(); line += band) {
      const uint32_t y = static_cast<uint32_t>(rect.y1) + line;
      const auto x = static_cast<uint32_t>(rect.x1);
      const uint32_t lines = std::min(band, rect.height() - line);
      const Pixels target{
          access->data() + size_t{y - offset.y} * buffer.pitch_bytes() + size_t{x - offset.x} * target_bytes,
          buffer.pitch_bytes(), buffer.format()};
      Result<void> converted;
      shadow.with_bytes([&](std::span<const std::byte> bytes) {
        // pixman never writes to a source image, but its interface has no const.
        auto* first = const_cast<std::byte*>(bytes.data()) + uint64_t{y} * layout.pitch_bytes +
                      uint64_t{x} * source_bytes;
        converted = convert({first, layout.pitch_bytes, layout.format}, target, rect.width(), lines);
      });
      if (!converted) return converted;
    }
  }
  return access->end();
}

Result<void> Uploader::upload_live(ProgramPages& pages, const Layout& layout, Point offset,
                                   ScanoutBuffer& buffer) {
  Result<Access> access = buffer.begin_access(AccessMode::write);
  if (!access) return tl::make_unexpected(access.error());
  const uint32_t width = buffer.size().width;
  const uint32_t height = buffer.size().height;
  const uint32_t source_bytes = drmclient::bytes_per_pixel(layout.format);
  const size_t line_bytes = size_t{width} * source_bytes;
  const uint64_t first = uint64_t{offset.y} * layout.pitch_bytes + uint64_t{offset.x} * source_bytes;

  if (layout.format == buffer.format()) {
    // The kernel copies from the page cache straight into the scan-out buffer: one copy in all.
    const auto read = read_lines(pages, first, layout.pitch_bytes, line_bytes, height, access->data(),
                                 buffer.pitch_bytes());
    if (!read) return read;
    return access->end();
  }

  constexpr uint32_t pixman_alignment = 4;
  const auto staging_pitch =
      static_cast<uint32_t>((line_bytes + pixman_alignment - 1) / pixman_alignment * pixman_alignment);
  const uint32_t band = lines_in_band(staging_pitch);
  staging_.resize(size_t{staging_pitch} * band);
  for (uint32_t y = 0; y < height; y += band) {
    const uint32_t lines = std::min(band, height - y);
    const auto read = read_lines(pages, first + uint64_t{y} * layout.pitch_bytes, layout.pitch_bytes,
                                 line_bytes, lines, staging_.data(), staging_pitch);
    if (!read) return read;
    const auto converted =
        convert({staging_.data(), staging_pitch, layout.format},
                {access->data() + size_t{y} * buffer.pitch_bytes(), buffer.pitch_bytes(), buffer.format()},
                width, lines);
    if (!converted) return converted;
  }
  return access->end();
}

}  // namespace fbemu
