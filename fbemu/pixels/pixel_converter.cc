#include "fbemu/pixels/pixel_converter.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace fbemu {
namespace {

using base::failure;
using base::Result;

/// Makes a table that reverses the bits of a byte. On little-endian machines, pixman counts the pixels of a
/// byte from the lowest bit.
constexpr std::array<std::byte, 256> make_mirrored_bytes() {
  std::array<std::byte, 256> mirrored{};
  for (uint32_t value = 0; value < mirrored.size(); ++value) {
    uint32_t turned = 0;
    for (uint32_t bit = 0; bit < 8; ++bit) turned |= (value >> bit & 1U) << (7 - bit);
    mirrored.at(value) = static_cast<std::byte>(turned);
  }
  return mirrored;
}
constexpr std::array<std::byte, 256> mirrored_bytes = make_mirrored_bytes();

Result<void> composite(const Image& source, int source_x, const Pixels& to, uint32_t width, uint32_t height) {
  const Image target = make_image(to, width, height);
  if (!source || !target) return failure(ENOMEM);
  pixman_image_composite32(PIXMAN_OP_SRC, source.get(), nullptr, target.get(), source_x, 0, 0, 0, 0, 0,
                           static_cast<int>(width), static_cast<int>(height));
  return {};
}

}  // namespace

Image make_image(const Pixels& pixels, uint32_t width, uint32_t height) {
  // Cast to uint32_t, because pixman's interface takes it.
  return Image(pixman_image_create_bits_no_clear(
      pixels.code, static_cast<int>(width), static_cast<int>(height),
      reinterpret_cast<uint32_t*>(pixels.first), static_cast<int>(pixels.pitch_bytes)));
}

Pixels PixelConverter::aligned(const ProgramPixels& from, const ProgramFormat& format, uint32_t width,
                               uint32_t height) {
  const bool mirrors = format.bits_per_pixel < 8;
  if (from.pitch_bytes % pixman_alignment == 0 && !mirrors) {
    // Safe, because pixman only reads a source image; its interface has no const.
    return {const_cast<std::byte*>(from.first), from.pitch_bytes, format.code};
  }
  const auto line_bytes = static_cast<size_t>(format.line_bytes(uint64_t{from.first_pixel} + width));
  const uint32_t pitch_bytes = pixman_pitch(line_bytes);
  lines_.resize(size_t{pitch_bytes} * height);
  for (uint32_t y = 0; y < height; ++y) {
    const std::span line(from.first + size_t{y} * from.pitch_bytes, line_bytes);
    std::byte* copy = lines_.data() + size_t{y} * pitch_bytes;
    if (mirrors) {
      std::ranges::transform(line, copy,
                             [](std::byte byte) { return mirrored_bytes.at(std::to_integer<size_t>(byte)); });
    } else {
      std::ranges::copy(line, copy);
    }
  }
  return {lines_.data(), pitch_bytes, format.code};
}

Result<void> PixelConverter::convert(const ProgramPixels& from, const ProgramFormat& format,
                                     const Palette* palette, const Pixels& to, uint32_t width,
                                     uint32_t height) {
  const Image source = make_image(aligned(from, format, width, height), from.first_pixel + width, height);
  if (!source) return failure(ENOMEM);
  const auto first_pixel = static_cast<int>(from.first_pixel);
  if (palette == nullptr) return composite(source, first_pixel, to, width, height);

  if (format.visual != Visual::directcolor) {
    if (!indexed_) indexed_ = std::make_unique<pixman_indexed_t>();
    indexed_->color = 1;
    std::ranges::copy(palette->colors, std::begin(indexed_->rgba));
    pixman_image_set_indexed(source.get(), indexed_.get());
    return composite(source, first_pixel, to, width, height);
  }

  const uint32_t pitch_bytes = pixman_pitch(uint64_t{width} * 4);
  colors_.resize(size_t{pitch_bytes} * height);
  const Pixels colors{colors_.data(), pitch_bytes, PIXMAN_x8r8g8b8};
  if (const auto widened = composite(source, first_pixel, colors, width, height); !widened) return widened;
  map_colors(*palette, colors, width, height);
  return composite(make_image(colors, width, height), 0, to, width, height);
}

/// Maps each channel through the palette here, because pixman has no tables for true-colour channels.
void PixelConverter::map_colors(const Palette& palette, const Pixels& pixels, uint32_t width,
                                uint32_t height) {
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      std::byte* at = pixels.first + size_t{y} * pixels.pitch_bytes + size_t{x} * 4;
      uint32_t pixel = 0;
      std::memcpy(&pixel, at, sizeof pixel);
      pixel = static_cast<uint32_t>(palette.red[pixel >> 16U & 0xffU]) << 16U |
              static_cast<uint32_t>(palette.green[pixel >> 8U & 0xffU]) << 8U | palette.blue[pixel & 0xffU];
      std::memcpy(at, &pixel, sizeof pixel);
    }
  }
}

}  // namespace fbemu
