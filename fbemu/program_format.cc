#include "fbemu/program_format.h"

#include <algorithm>
#include <array>

#include "drmclient/pixman_format.h"

namespace fbemu {
namespace {

using drmclient::failure;
using drmclient::PixelFormat;
using drmclient::Result;

constexpr Channel index8{0, 8};
constexpr Channel index1{0, 1};
constexpr Channel none{};

/// All that programs can have. The first of each depth is the one that is chosen for them.
constexpr std::array formats{
    ProgramFormat{32, Visual::truecolor, {16, 8}, {8, 8}, {0, 8}, none, PIXMAN_x8r8g8b8},
    ProgramFormat{32, Visual::truecolor, {16, 8}, {8, 8}, {0, 8}, {24, 8}, PIXMAN_x8r8g8b8},
    ProgramFormat{32, Visual::truecolor, {0, 8}, {8, 8}, {16, 8}, none, PIXMAN_x8b8g8r8},
    ProgramFormat{32, Visual::truecolor, {0, 8}, {8, 8}, {16, 8}, {24, 8}, PIXMAN_x8b8g8r8},
    ProgramFormat{32, Visual::truecolor, {24, 8}, {16, 8}, {8, 8}, none, PIXMAN_r8g8b8x8},
    ProgramFormat{32, Visual::truecolor, {24, 8}, {16, 8}, {8, 8}, {0, 8}, PIXMAN_r8g8b8x8},
    ProgramFormat{32, Visual::truecolor, {8, 8}, {16, 8}, {24, 8}, none, PIXMAN_b8g8r8x8},
    ProgramFormat{32, Visual::truecolor, {8, 8}, {16, 8}, {24, 8}, {0, 8}, PIXMAN_b8g8r8x8},
    ProgramFormat{24, Visual::truecolor, {16, 8}, {8, 8}, {0, 8}, none, PIXMAN_r8g8b8},
    ProgramFormat{24, Visual::truecolor, {0, 8}, {8, 8}, {16, 8}, none, PIXMAN_b8g8r8},
    ProgramFormat{16, Visual::truecolor, {11, 5}, {5, 6}, {0, 5}, none, PIXMAN_r5g6b5},
    ProgramFormat{16, Visual::truecolor, {0, 5}, {5, 6}, {11, 5}, none, PIXMAN_b5g6r5},
    ProgramFormat{16, Visual::truecolor, {10, 5}, {5, 5}, {0, 5}, {15, 1}, PIXMAN_x1r5g5b5},
    ProgramFormat{16, Visual::truecolor, {10, 5}, {5, 5}, {0, 5}, none, PIXMAN_x1r5g5b5},
    ProgramFormat{16, Visual::truecolor, {0, 5}, {5, 5}, {10, 5}, {15, 1}, PIXMAN_x1b5g5r5},
    ProgramFormat{16, Visual::truecolor, {0, 5}, {5, 5}, {10, 5}, none, PIXMAN_x1b5g5r5},
    ProgramFormat{16, Visual::truecolor, {8, 4}, {4, 4}, {0, 4}, none, PIXMAN_x4r4g4b4},
    ProgramFormat{16, Visual::truecolor, {8, 4}, {4, 4}, {0, 4}, {12, 4}, PIXMAN_x4r4g4b4},
    ProgramFormat{8, Visual::pseudocolor, index8, index8, index8, none, PIXMAN_c8},
    ProgramFormat{8, Visual::grayscale, index8, index8, index8, none, PIXMAN_c8},
    ProgramFormat{8, Visual::truecolor, {5, 3}, {2, 3}, {0, 2}, none, PIXMAN_r3g3b2},
    ProgramFormat{8, Visual::truecolor, {0, 3}, {3, 3}, {6, 2}, none, PIXMAN_b2g3r3},
    ProgramFormat{1, Visual::mono, index1, index1, index1, none, PIXMAN_g1},
};
constexpr Channel red_of_555{10, 5};

Channel channel(const fb_bitfield& field) {
  return {field.offset, field.length};
}

fb_bitfield bitfield(const Channel& of) {
  return {of.offset, of.length, 0};
}

bool same_colors(const ProgramFormat& format, const fb_var_screeninfo& var) {
  return format.red == channel(var.red) && format.green == channel(var.green) &&
         format.blue == channel(var.blue);
}

/// The bits per pixel in memory for a wanted depth; 0 where there is none.
uint32_t round_up_depth(uint32_t depth) {
  for (const uint32_t bits : {1U, 8U, 16U, 24U, 32U}) {
    if (depth != 0 && depth <= bits) return bits;
  }
  return 0;
}

ProgramFormat with_color_map(ProgramFormat format, bool direct_color) {
  if (direct_color && format.visual == Visual::truecolor) format.visual = Visual::directcolor;
  return format;
}

}  // namespace

std::optional<PixelFormat> scanout_equivalent(const ProgramFormat& format) {
  if (format.visual != Visual::truecolor) return std::nullopt;
  for (const PixelFormat scanout : {PixelFormat::xrgb8888, PixelFormat::bgrx8888, PixelFormat::rgb888,
                                    PixelFormat::rgb565, PixelFormat::xrgb1555}) {
    if (drmclient::pixman_format(scanout) == format.code) return scanout;
  }
  return std::nullopt;
}

Result<ProgramFormat> format_of_depth(uint32_t depth) {
  const uint32_t bits = round_up_depth(depth);
  const bool is_555 = bits == 16 && depth != 16;
  const auto* found = std::ranges::find_if(formats, [&](const ProgramFormat& format) {
    return format.bits_per_pixel == bits && (!is_555 || format.red == red_of_555);
  });
  if (found == formats.end()) return failure(EINVAL);
  return *found;
}

Result<ProgramFormat> choose_format(const fb_var_screeninfo& wanted, const ProgramFormat& current,
                                    bool direct_color) {
  if (wanted.grayscale > 1 || wanted.nonstd != 0) return failure(EINVAL);
  for (const fb_bitfield* field : {&wanted.red, &wanted.green, &wanted.blue, &wanted.transp}) {
    if (field->msb_right != 0) return failure(EINVAL);
  }
  const uint32_t depth = wanted.bits_per_pixel != 0 ? wanted.bits_per_pixel
                         : wanted.grayscale != 0    ? 8
                                                    : current.bits_per_pixel;
  const uint32_t bits = round_up_depth(depth);
  if (bits == 0) return failure(EINVAL);
  if (wanted.grayscale != 0) {
    const auto* grey = std::ranges::find(formats, Visual::grayscale, &ProgramFormat::visual);
    if (bits != grey->bits_per_pixel) return failure(EINVAL);
    return *grey;
  }
  const Channel transp = channel(wanted.transp);
  const bool choose = wanted.red.length == 0 && wanted.green.length == 0 && wanted.blue.length == 0 &&
                      wanted.red.offset == 0 && wanted.green.offset == 0 && wanted.blue.offset == 0 &&
                      transp == none;
  const auto with_default = [&]() -> Result<ProgramFormat> {
    if (choose && wanted.bits_per_pixel == 0) return current;
    const auto format = format_of_depth(depth);
    if (!format) return format;
    return with_color_map(*format, direct_color);
  };
  if (choose) return with_default();
  const auto* exact = std::ranges::find_if(formats, [&](const ProgramFormat& format) {
    return format.bits_per_pixel == bits && format.visual != Visual::grayscale &&
           same_colors(format, wanted) && format.transp == transp;
  });
  // 5, 6 and 5 bits are no answer to a program that asks for 15.
  if (exact != formats.end() && (depth != 15 || exact->green.length == 5)) {
    return with_color_map(*exact, direct_color);
  }
  // What was not touched by a program that changes the depth. At the present depth it is meant.
  const bool changes_depth = bits != current.bits_per_pixel || depth == 15;
  const bool left_over = changes_depth && std::ranges::any_of(formats, [&](const ProgramFormat& format) {
                           return (format.bits_per_pixel != bits || depth == 15) &&
                                  same_colors(format, wanted) && format.transp == transp;
                         });
  if (!left_over) return failure(EINVAL);
  return with_default();
}

void set_format(fb_var_screeninfo& var, const ProgramFormat& format) {
  var.bits_per_pixel = format.bits_per_pixel;
  var.grayscale = format.visual == Visual::grayscale ? 1 : 0;
  var.red = bitfield(format.red);
  var.green = bitfield(format.green);
  var.blue = bitfield(format.blue);
  var.transp = bitfield(format.transp);
}

uint32_t fix_visual(const ProgramFormat& format) {
  switch (format.visual) {
    case Visual::mono:
      return FB_VISUAL_MONO10;
    case Visual::pseudocolor:
      return FB_VISUAL_PSEUDOCOLOR;
    case Visual::grayscale:
      return FB_VISUAL_STATIC_PSEUDOCOLOR;
    case Visual::directcolor:
      return FB_VISUAL_DIRECTCOLOR;
    case Visual::truecolor:
      break;
  }
  return FB_VISUAL_TRUECOLOR;
}

}  // namespace fbemu
