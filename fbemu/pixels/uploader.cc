#include "fbemu/pixels/uploader.h"

#include <climits>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "drmclient/pixman_format.h"

namespace fbemu {
namespace {

using base::failure;
using base::Result;
using drmclient::Access;
using drmclient::AccessMode;
using drmclient::Point;
using drmclient::Rect;
using drmclient::ScanoutBuffer;

/// Bytes converted or copied at a time. They fit in a core's cache, and bound the time for which a program's
/// write waits for the backing store.
constexpr size_t band_bytes = size_t{256} * 1024;
/// Side of the squares that are rotated or scaled at a time, in pixels. It is limited because pixman's
/// transformations have only 16 fractional bits.
constexpr int32_t tile_side = 512;

uint32_t lines_in_band(uint64_t line_bytes) {
  return static_cast<uint32_t>(std::max<uint64_t>(band_bytes / std::max<uint64_t>(line_bytes, 1), 1));
}

/// Returns the offset of the byte in which the pixel at `from` begins.
uint64_t offset_of(const Layout& layout, Point from) {
  return uint64_t{from.y} * layout.pitch_bytes + uint64_t{from.x} * layout.format.bits_per_pixel / 8;
}

/// Returns the index of the pixel at `x` in its byte, from the left.
uint32_t index_in_byte(const Layout& layout, uint32_t x) {
  return layout.format.bits_per_pixel < 8 ? x % (8 / layout.format.bits_per_pixel) : 0;
}

/// Returns `pixels` from (x, y) on. Requires whole bytes per pixel.
Pixels moved(const Pixels& pixels, int32_t x, int32_t y) {
  const auto bytes_per_pixel = static_cast<size_t>(PIXMAN_FORMAT_BPP(pixels.code)) / 8;
  return {
      pixels.first + static_cast<size_t>(y) * pixels.pitch_bytes + static_cast<size_t>(x) * bytes_per_pixel,
      pixels.pitch_bytes, pixels.code};
}

Pixels pixels_of(const Access& access, const ScanoutBuffer& buffer) {
  return {access.data(), buffer.pitch_bytes(), drmclient::pixman_format(buffer.format())};
}

/// Reads `height` lines of `line_bytes` each to `target`. The first line is at `offset`, the next
/// `pitch_bytes` after it.
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

/// Returns the transformation from pixels of `tile`, relative to its corner, to pixels of the view.
pixman_transform_t tile_transform(const ViewTransform& view_transform, const Rect& tile) {
  const ViewTransform::Affine affine = view_transform.to_view();
  const auto fixed = [](double value) {
    return static_cast<pixman_fixed_t>(std::lround(value * pixman_fixed_1));
  };
  const double x0 = affine.xx * tile.x1 + affine.xy * tile.y1 + affine.x0;
  const double y0 = affine.yx * tile.x1 + affine.yy * tile.y1 + affine.y0;
  return {{{fixed(affine.xx), fixed(affine.xy), fixed(x0)},
           {fixed(affine.yx), fixed(affine.yy), fixed(y0)},
           {0, 0, pixman_fixed_1}}};
}

}  // namespace

Result<void> Uploader::convert_part(const FramebufferState& fb_state, const ViewPart& part,
                                    const Pixels& target, const WithLines& with_lines) {
  const Layout& layout = fb_state.layout;
  const uint32_t width = part.view.width();
  const uint32_t band = lines_in_band(layout.format.line_bytes(width));
  for (uint32_t line = 0; line < part.view.height(); line += band) {
    const uint32_t lines = std::min(band, part.view.height() - line);
    const Pixels band_target = moved(target, part.view.x1, part.view.y1 + static_cast<int32_t>(line));
    const auto converted =
        with_lines(layout, {part.from.x, part.from.y + line}, width, lines, [&](const ProgramPixels& pixels) {
          return converter_.convert(pixels, layout.format, fb_state.palette.get(), band_target, width, lines);
        });
    if (!converted) return converted;
  }
  return {};
}

/// Converts the part of the view inside `rect`. `target` is the place of the view's first pixel.
Result<void> Uploader::convert_view(const FramebufferState& fb_state, const Rect& rect, const Pixels& target,
                                    const WithLines& with_lines) {
  for (const ViewPart& part : fb_state.parts()) {
    const Rect view = rect.clipped_to(part.view);
    if (view.empty()) continue;
    const Point from{part.from.x + static_cast<uint32_t>(view.x1 - part.view.x1),
                     part.from.y + static_cast<uint32_t>(view.y1 - part.view.y1)};
    if (const auto converted = convert_part(fb_state, {view, from}, target, with_lines); !converted) {
      return converted;
    }
  }
  return {};
}

/// Returns the memory for the view as XRGB8888, whose contents are kept while the view's size stays the same.
Pixels Uploader::picture_of(const FramebufferState& fb_state) {
  const uint32_t pitch_bytes = fb_state.size.width * 4;
  picture_.resize(size_t{pitch_bytes} * fb_state.size.height);
  return {picture_.data(), pitch_bytes, PIXMAN_x8r8g8b8};
}

/// Rotates and scales the part of the picture that `rect` of the output shows.
Result<void> Uploader::transform(const FramebufferState& fb_state, const Rect& rect, const Pixels& target) {
  const ViewTransform view_transform = fb_state.view_transform();
  const Image picture = make_image(picture_of(fb_state), fb_state.size.width, fb_state.size.height);
  if (!picture) return failure(ENOMEM);
  pixman_image_set_repeat(picture.get(), PIXMAN_REPEAT_PAD);
  const auto filter = view_transform.blends() ? PIXMAN_FILTER_BILINEAR : PIXMAN_FILTER_NEAREST;
  pixman_image_set_filter(picture.get(), filter, nullptr, 0);
  for (int32_t y = rect.y1; y < rect.y2; y += tile_side) {
    for (int32_t x = rect.x1; x < rect.x2; x += tile_side) {
      const Rect tile = Rect{x, y, x + tile_side, y + tile_side}.clipped_to(rect);
      const pixman_transform_t transform = tile_transform(view_transform, tile);
      if (pixman_image_set_transform(picture.get(), &transform) == 0) return failure(ENOMEM);
      const Image part = make_image(moved(target, tile.x1, tile.y1), tile.width(), tile.height());
      if (!part) return failure(ENOMEM);
      pixman_image_composite32(PIXMAN_OP_SRC, picture.get(), nullptr, part.get(), 0, 0, 0, 0, 0, 0,
                               static_cast<int>(tile.width()), static_cast<int>(tile.height()));
    }
  }
  return {};
}

Result<void> Uploader::upload(const BackingStore& backing_store, const FramebufferState& fb_state,
                              std::span<const Rect> rects, ScanoutBuffer& buffer) {
  Result<Access> access = buffer.begin_access(AccessMode::write);
  if (!access) return tl::make_unexpected(access.error());
  const Pixels output = pixels_of(*access, buffer);
  const ViewTransform view_transform = fb_state.view_transform();
  const WithLines from_backing_store = [&](const Layout& layout, Point from, uint32_t, uint32_t,
                                           const UseLines& use) {
    Result<void> used;
    backing_store.with_bytes([&](std::span<const std::byte> bytes) {
      used = use({bytes.data() + offset_of(layout, from), layout.pitch_bytes, index_in_byte(layout, from.x)});
    });
    return used;
  };
  const bool plain = view_transform.is_plain();
  const Pixels target =
      plain ? moved(output, view_transform.target().x1, view_transform.target().y1) : picture_of(fb_state);
  for (const Rect& rect : rects) {
    if (const auto converted = convert_view(fb_state, rect, target, from_backing_store); !converted)
      return converted;
    if (plain) continue;
    if (const auto done = transform(fb_state, view_transform.to_output(rect), output); !done) return done;
  }
  return access->end();
}

/// Reads the whole view from the page cache to `target`, the place of the view's first pixel.
Result<void> Uploader::read_live(ProgramPages& pages, const FramebufferState& fb_state,
                                 const Pixels& target) {
  const Layout& layout = fb_state.layout;
  if (fb_state.palette == nullptr && layout.format.code == target.code) {
    // One copy in total: the kernel copies from the page cache straight to the target.
    for (const ViewPart& part : fb_state.parts()) {
      const Pixels lines = moved(target, part.view.x1, part.view.y1);
      const auto read = read_lines(pages, offset_of(layout, part.from), layout.pitch_bytes,
                                   layout.format.line_bytes(part.view.width()), part.view.height(),
                                   lines.first, lines.pitch_bytes);
      if (!read) return read;
    }
    return {};
  }
  const WithLines from_pages = [&](const Layout&, Point from, uint32_t width, uint32_t lines,
                                   const UseLines& use) -> Result<void> {
    const uint32_t index = index_in_byte(layout, from.x);
    const auto line_bytes = static_cast<size_t>(layout.format.line_bytes(uint64_t{index} + width));
    const uint32_t pitch_bytes = pixman_pitch(line_bytes);
    lines_.resize(size_t{pitch_bytes} * lines);
    const auto read = read_lines(pages, offset_of(layout, from), layout.pitch_bytes, line_bytes, lines,
                                 lines_.data(), pitch_bytes);
    if (!read) return read;
    return use({lines_.data(), pitch_bytes, index});
  };
  return convert_view(fb_state, Rect::of(fb_state.size), target, from_pages);
}

Result<void> Uploader::upload_live(ProgramPages& pages, const FramebufferState& fb_state,
                                   ScanoutBuffer& buffer) {
  Result<Access> access = buffer.begin_access(AccessMode::write);
  if (!access) return tl::make_unexpected(access.error());
  const Pixels output = pixels_of(*access, buffer);
  const ViewTransform view_transform = fb_state.view_transform();
  if (view_transform.is_plain()) {
    const auto read =
        read_live(pages, fb_state, moved(output, view_transform.target().x1, view_transform.target().y1));
    if (!read) return read;
    return access->end();
  }
  if (const auto read = read_live(pages, fb_state, picture_of(fb_state)); !read) return read;
  if (const auto done = transform(fb_state, view_transform.target(), output); !done) return done;
  return access->end();
}

Result<void> Uploader::clear_border(const FramebufferState& fb_state, ScanoutBuffer& buffer) {
  const ViewTransform view_transform = fb_state.view_transform();
  if (view_transform.covers_output()) return {};
  Result<Access> access = buffer.begin_access(AccessMode::write);
  if (!access) return tl::make_unexpected(access.error());
  const Rect& picture = view_transform.target();
  const size_t bytes_per_pixel = drmclient::bytes_per_pixel(buffer.format());
  const auto left_bytes = static_cast<size_t>(picture.x1) * bytes_per_pixel;
  const auto right_bytes = static_cast<size_t>(picture.x2) * bytes_per_pixel;
  for (uint32_t y = 0; y < buffer.size().height; ++y) {
    const std::span row = access->row(y);
    if (static_cast<int32_t>(y) < picture.y1 || static_cast<int32_t>(y) >= picture.y2) {
      std::ranges::fill(row, std::byte{0});
      continue;
    }
    std::ranges::fill(row.first(left_bytes), std::byte{0});
    std::ranges::fill(row.subspan(right_bytes), std::byte{0});
  }
  return access->end();
}

}  // namespace fbemu
