#include "fbemu/pixels/layout.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

using drmclient::Rect;
using fbemu::ByteRange;
using fbemu::Layout;
using fbemu::page_size;
using fbemu::pixels_in;
using fbemu::Region;
using fbemu::round_up_to_page;

namespace {

Layout layout_of(uint32_t bits, uint32_t pitch, drmclient::Size size) {
  Layout layout;
  layout.format.bits_per_pixel = bits;
  layout.pitch_bytes = pitch;
  layout.virtual_size = size;
  return layout;
}

const Layout screen = layout_of(32, 40, {10, 4});

/// Returns the pixels of the whole virtual screen that have a bit in one of `ranges`.
Region pixels_of(const std::vector<ByteRange>& ranges, const Layout& layout) {
  return pixels_in(ranges, layout, {}, layout.virtual_size);
}

std::vector<Rect> rects_in(ByteRange range, const Layout& layout) {
  return pixels_of({range}, layout).rects();
}

/// Returns true if a bit of the pixel (x, y) is in one of `ranges`. Tests each bit.
bool has_bit_in(const std::vector<ByteRange>& ranges, const Layout& layout, uint32_t x, uint32_t y) {
  for (uint32_t bit = 0; bit < layout.format.bits_per_pixel; ++bit) {
    const uint64_t byte =
        uint64_t{y} * layout.pitch_bytes + (uint64_t{x} * layout.format.bits_per_pixel + bit) / 8;
    for (const ByteRange& range : ranges) {
      if (range.begin <= byte && byte < range.end) return true;
    }
  }
  return false;
}

}  // namespace

TEST(ByteRange, EndBeforeBeginIsEmpty) {
  EXPECT_TRUE((ByteRange{5, 5}.empty()));
  EXPECT_TRUE((ByteRange{6, 5}.empty()));
  EXPECT_EQ((ByteRange{6, 5}.size()), 0U);
  EXPECT_EQ((ByteRange{5, 9}.size()), 4U);
}

TEST(ByteRange, ClipKeepsPartInside) {
  EXPECT_EQ((ByteRange{5, 50}.clipped_to({10, 20})), (ByteRange{10, 20}));
  EXPECT_TRUE((ByteRange{5, 8}.clipped_to({10, 20}).empty()));
}

TEST(RoundUpToPage, WholePagesAreKept) {
  EXPECT_EQ(page_size, 4096U);
  EXPECT_EQ(round_up_to_page(0), 0U);
  EXPECT_EQ(round_up_to_page(1), 4096U);
  EXPECT_EQ(round_up_to_page(4096), 4096U);
  EXPECT_EQ(round_up_to_page(4097), 8192U);
}

TEST(Layout, LinesAreOnePitchApart) {
  EXPECT_EQ(screen.lines(1, 3), (ByteRange{40, 120}));
}

TEST(PixelsIn, ByteGivesItsPixel) {
  EXPECT_EQ(rects_in({44, 45}, screen), (std::vector<Rect>{{1, 1, 2, 2}}));
}

TEST(PixelsIn, RangeInsideLineGivesOneRectangle) {
  EXPECT_EQ(rects_in({8, 24}, screen), (std::vector<Rect>{{2, 0, 6, 1}}));
}

TEST(PixelsIn, PartOfPixelGivesWholePixel) {
  EXPECT_EQ(rects_in({7, 9}, screen), (std::vector<Rect>{{1, 0, 3, 1}}));
}

TEST(PixelsIn, RangeOverSeveralLinesGivesThreeRectangles) {
  EXPECT_EQ(rects_in({60, 132}, screen), (std::vector<Rect>{{5, 1, 10, 2}, {0, 2, 10, 3}, {0, 3, 3, 4}}));
}

TEST(PixelsIn, WholeLinesGiveOneRectangle) {
  EXPECT_EQ(rects_in({0, 160}, screen), (std::vector<Rect>{{0, 0, 10, 4}}));
}

TEST(PixelsIn, FirstAndLastLineExcludeLinesBetween) {
  const std::vector<ByteRange> ranges{{0, 40}, {120, 160}};
  EXPECT_EQ(pixels_of(ranges, screen).rects(), (std::vector<Rect>{{0, 0, 10, 1}, {0, 3, 10, 4}}));
}

TEST(PixelsIn, BytesAfterLastLineGiveNoPixels) {
  EXPECT_TRUE(rects_in({160, 4096}, screen).empty());
  EXPECT_EQ(rects_in({156, 4096}, screen), (std::vector<Rect>{{9, 3, 10, 4}}));
}

TEST(PixelsIn, PaddingGivesNoPixels) {
  const Layout padded = layout_of(32, 64, {10, 4});
  EXPECT_TRUE(rects_in({40, 64}, padded).empty());
  EXPECT_EQ(rects_in({44, 68}, padded), (std::vector<Rect>{{0, 1, 1, 2}}));
}

TEST(PixelsIn, EmptyRangesGiveNoPixels) {
  EXPECT_TRUE(rects_in({20, 20}, screen).empty());
  EXPECT_TRUE(rects_in({30, 20}, screen).empty());
}

TEST(PixelsIn, LastPixelOf8192SquareIsFound) {
  const Layout large = layout_of(32, 32'768, {8192, 8192});
  EXPECT_EQ(rects_in({268'435'452, 268'435'456}, large), (std::vector<Rect>{{8191, 8191, 8192, 8192}}));
}

TEST(PixelsIn, PartIsRelativeToItsCorner) {
  const ByteRange range{44, 88};
  EXPECT_EQ(pixels_in({&range, 1}, screen, {3, 1}, {4, 3}).rects(), (std::vector<Rect>{{0, 0, 4, 1}}));
  EXPECT_EQ(pixels_in({&range, 1}, screen, {1, 2}, {4, 2}).rects(), (std::vector<Rect>{{0, 0, 1, 1}}));
  EXPECT_TRUE(pixels_in({&range, 1}, screen, {2, 2}, {4, 2}).empty());
}

TEST(PixelsIn, PartBeyondVirtualScreenIsClipped) {
  const ByteRange range{0, 1000};
  EXPECT_EQ(pixels_in({&range, 1}, screen, {8, 3}, {8, 8}).rects(), (std::vector<Rect>{{0, 0, 2, 1}}));
  EXPECT_TRUE(pixels_in({&range, 1}, screen, {10, 0}, {8, 8}).empty());
  EXPECT_TRUE(pixels_in({&range, 1}, screen, {0, 4}, {8, 8}).empty());
}

/// A layout of one byte a line and nearly 4 GiB.
const Layout tall = layout_of(1, 1, {8, 4'294'963'200});

TEST(PixelsIn, LinesBeyond2To31AreFound) {
  const ByteRange range{3'000'000'000, 3'000'000'002};
  EXPECT_EQ(pixels_in({&range, 1}, tall, {0, 2'999'999'990}, {8, 16}).rects(),
            (std::vector<Rect>{{0, 10, 8, 12}}));
}

TEST(PixelsIn, RangeAcrossLine2To31IsFound) {
  const ByteRange range{2'147'483'646, 2'147'483'651};
  EXPECT_EQ(pixels_in({&range, 1}, tall, {0, 2'147'483'640}, {8, 16}).rects(),
            (std::vector<Rect>{{0, 6, 8, 11}}));
}

TEST(PixelsIn, RangeOfNearly4GiBCoversEveryPart) {
  const ByteRange range{0, 4'294'963'200};
  EXPECT_EQ(pixels_in({&range, 1}, tall, {0, 0}, {8, 16}).rects(), (std::vector<Rect>{{0, 0, 8, 16}}));
  EXPECT_EQ(pixels_in({&range, 1}, tall, {0, 4'294'963'190}, {8, 16}).rects(),
            (std::vector<Rect>{{0, 0, 8, 10}}));
}

TEST(PixelsIn, ColumnsBeyond2To31AreFound) {
  const Layout wide = layout_of(1, 536'870'400, {4'294'963'200, 7});
  const ByteRange range{536'870'400 + 300'000'000, 536'870'400 + 300'000'001};
  EXPECT_EQ(pixels_in({&range, 1}, wide, {2'399'999'992, 0}, {32, 7}).rects(),
            (std::vector<Rect>{{8, 1, 16, 2}}));
}

RC_GTEST_PROP(PixelsIn, RandomRangesMatchReference, ()) {
  const auto bits = *rc::gen::element(1U, 2U, 4U, 8U, 16U, 24U, 32U);
  const auto width = *rc::gen::inRange(1U, 14U);
  const auto height = *rc::gen::inRange(1U, 9U);
  const auto pitch = (width * bits + 7) / 8 + *rc::gen::inRange(0U, 9U);
  const Layout layout = layout_of(bits, pitch, {width, height});
  std::vector<ByteRange> ranges;
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    const auto begin = *rc::gen::inRange<uint64_t>(0, uint64_t{pitch} * height + 20);
    ranges.push_back({begin, begin + *rc::gen::inRange<uint64_t>(0, uint64_t{pitch} * 3)});
  }
  const Region region = pixels_of(ranges, layout);
  uint64_t pixels = 0;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const bool in = has_bit_in(ranges, layout, x, y);
      RC_ASSERT(region.contains(static_cast<int>(x), static_cast<int>(y)) == in);
      pixels += in ? 1U : 0U;
    }
  }
  RC_ASSERT(region.area() == pixels);
}

RC_GTEST_PROP(PixelsIn, RandomPartsMatchReference, ()) {
  const auto bits = *rc::gen::element(1U, 8U, 32U);
  const auto columns = *rc::gen::element(9U, 40'000U, 4'294'967'290U / bits);
  const auto pitch = static_cast<uint32_t>((uint64_t{columns} * bits + 7) / 8) + *rc::gen::inRange(0U, 3U);
  const auto lines = static_cast<uint32_t>(4'294'963'200U / pitch);
  RC_PRE(lines > 0U);
  const Layout layout = layout_of(bits, pitch, {columns, lines});
  const drmclient::Size size{std::min(columns, 11U), std::min(lines, 7U)};
  const drmclient::Point from{*rc::gen::element(0U, (columns - size.width) / 2, columns - size.width),
                              *rc::gen::element(0U, (lines - size.height) / 2, lines - size.height)};
  std::vector<ByteRange> ranges;
  const auto count = *rc::gen::inRange(0, 4);
  const uint64_t corner = uint64_t{from.y} * pitch + uint64_t{from.x} * bits / 8;
  for (int i = 0; i < count; ++i) {
    const uint64_t near = *rc::gen::inRange<uint64_t>(0, uint64_t{size.height} * std::min(pitch, 1'000U));
    const auto length = *rc::gen::element<uint64_t>(1, 3, 40, pitch, uint64_t{pitch} * 3);
    const uint64_t before = *rc::gen::element<uint64_t>(0, 5, uint64_t{pitch} * 2);
    const uint64_t begin = corner + near - std::min(corner + near, before);
    ranges.push_back({begin, begin + length});
  }
  const Region region = pixels_in(ranges, layout, from, size);
  uint64_t pixels = 0;
  for (uint32_t y = 0; y < size.height; ++y) {
    for (uint32_t x = 0; x < size.width; ++x) {
      const bool in = has_bit_in(ranges, layout, from.x + x, from.y + y);
      RC_ASSERT(region.contains(static_cast<int>(x), static_cast<int>(y)) == in);
      pixels += in ? 1U : 0U;
    }
  }
  RC_ASSERT(region.area() == pixels);
}
