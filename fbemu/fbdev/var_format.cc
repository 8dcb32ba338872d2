#include "fbemu/fbdev/var_format.h"

#include <algorithm>

namespace fbemu {
namespace {

using base::failure;
using base::Result;

constexpr Channel none{};

Channel channel(const fb_bitfield& field) {
  return {field.offset, field.length};
}

fb_bitfield bitfield(const Channel& channel) {
  return {channel.offset, channel.length, 0};
}

bool same_colors(const ProgramFormat& format, const fb_var_screeninfo& var) {
  return format.red == channel(var.red) && format.green == channel(var.green) &&
         format.blue == channel(var.blue);
}

ProgramFormat with_color_map(ProgramFormat format, bool direct_color) {
  if (direct_color && format.visual == Visual::truecolor) format.visual = Visual::directcolor;
  return format;
}

}  // namespace

Result<ProgramFormat> choose_format(const fb_var_screeninfo& wanted, const ProgramFormat& current,
                                    bool direct_color) {
  const std::span<const ProgramFormat> formats = program_formats();
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
    const auto grey = std::ranges::find(formats, Visual::grayscale, &ProgramFormat::visual);
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
  const auto exact = std::ranges::find_if(formats, [&](const ProgramFormat& format) {
    return format.bits_per_pixel == bits && format.visual != Visual::grayscale &&
           same_colors(format, wanted) && format.transp == transp;
  });
  // RGB565 does not satisfy a request for 15 bits.
  if (exact != formats.end() && (depth != 15 || exact->green.length == 5)) {
    return with_color_map(*exact, direct_color);
  }
  // A program that changes the depth may leave the bit-fields of the old one. At the current depth they
  // count.
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
