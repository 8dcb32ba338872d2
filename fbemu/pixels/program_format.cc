#include "fbemu/pixels/program_format.h"

#include <algorithm>
#include <array>

#include "drmclient/pixman_format.h"

namespace fbemu {
namespace {

using base::failure;
using base::Result;
using drmclient::PixelFormat;

constexpr Channel index8{0, 8};
constexpr Channel index1{0, 1};
constexpr Channel none{};

/// Every format that programs can have. The first of each depth is the default for that depth.
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

}  // namespace

std::span<const ProgramFormat> program_formats() {
  return formats;
}

uint32_t round_up_depth(uint32_t depth) {
  for (const uint32_t bits : {1U, 8U, 16U, 24U, 32U}) {
    if (depth != 0 && depth <= bits) return bits;
  }
  return 0;
}

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

}  // namespace fbemu
