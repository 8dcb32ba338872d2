#include "fbemu/uploader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "drmclient/headless_card.h"
#include "tests/unit/fake_program_pages.h"
#include "tests/unit/slow_pixels.h"

using drmclient::AccessMode;
using drmclient::bytes_per_pixel;
using drmclient::HeadlessCard;
using drmclient::PixelFormat;
using drmclient::Point;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;
using fbemu::Layout;
using fbemu::Shadow;
using fbemu::Uploader;
using unit::FakeProgramPages;

namespace {

constexpr std::byte before{0x5a};

drmclient::HeadlessOptions every_format() {
  drmclient::HeadlessOptions options;
  options.formats.assign(unit::all_formats.begin(), unit::all_formats.end());
  options.moving_mappings = true;
  return options;
}

/// A framebuffer full of noise, in a shadow and in pages, and a scan-out buffer filled with `before`.
class Upload {
 public:
  Upload(Layout program, Size visible, PixelFormat scanout)
      : layout(program),
        card(every_format()),
        buffer(std::move(*card.create_buffer(visible, scanout))),
        memory(unit::noise(
            fbemu::round_up_to_page(uint64_t{program.pitch_bytes} * program.virtual_size.height), 5)),
        shadow(memory.size()),
        pages(memory.size(), [](uint64_t, std::span<const std::byte>) {}) {
    shadow.store(0, memory);
    pages.store(0, memory);
    const auto access = buffer->begin_access(AccessMode::write);
    for (uint32_t y = 0; y < visible.height; ++y) std::ranges::fill(access->row(y), before);
  }

  /// Whether the buffer holds the program's pixels inside `rects`, and what it had everywhere else.
  [[nodiscard]] bool is_right(Point offset, const std::vector<Rect>& rects) {
    const auto access = buffer->begin_access(AccessMode::read);
    const size_t target_bytes = bytes_per_pixel(buffer->format());
    for (uint32_t y = 0; y < buffer->size().height; ++y) {
      for (uint32_t x = 0; x < buffer->size().width; ++x) {
        const std::byte* pixel = access->row(y).data() + x * target_bytes;
        if (contains(rects, static_cast<int>(x + offset.x), static_cast<int>(y + offset.y))) {
          const std::byte* source = memory.data() + uint64_t{y + offset.y} * layout.pitch_bytes +
                                    uint64_t{x + offset.x} * bytes_per_pixel(layout.format);
          const uint32_t wanted = unit::rounded_to(buffer->format(), unit::decode(layout.format, source));
          if (unit::decode(buffer->format(), pixel) != wanted) return false;
        } else if (!std::all_of(pixel, pixel + target_bytes, [](std::byte byte) { return byte == before; })) {
          return false;
        }
      }
    }
    return true;
  }

  Layout layout;
  HeadlessCard card;
  std::unique_ptr<ScanoutBuffer> buffer;
  std::vector<std::byte> memory;
  Shadow shadow;
  FakeProgramPages pages;
  Uploader uploader;

 private:
  static bool contains(const std::vector<Rect>& rects, int x, int y) {
    return std::ranges::any_of(
        rects, [&](const Rect& rect) { return rect.x1 <= x && x < rect.x2 && rect.y1 <= y && y < rect.y2; });
  }
};

Layout make_layout(PixelFormat format, Size virtual_size, uint32_t padding = 0) {
  Layout layout;
  layout.format = format;
  layout.bits_per_pixel = 8 * bytes_per_pixel(format);
  // pixman takes lines of whole 32-bit words.
  layout.pitch_bytes = (virtual_size.width * bytes_per_pixel(format) + 3) / 4 * 4 + padding;
  layout.virtual_size = virtual_size;
  return layout;
}

Rect visible_part(Point offset, Size size) {
  return {static_cast<int>(offset.x), static_cast<int>(offset.y), static_cast<int>(offset.x + size.width),
          static_cast<int>(offset.y + size.height)};
}

class UploadFormats : public testing::TestWithParam<std::tuple<PixelFormat, PixelFormat>> {};

}  // namespace

TEST_P(UploadFormats, FromTheShadowTheRectanglesAndNothingElse) {
  const auto [program, scanout] = GetParam();
  Upload upload(make_layout(program, {50, 60}, 12), {33, 21}, scanout);
  const Point offset{7, 30};
  const std::vector<Rect> rects{{7, 30, 8, 31}, {10, 33, 27, 40}, {39, 50, 40, 51}};
  ASSERT_TRUE(
      upload.uploader.upload(upload.shadow, upload.layout, offset, rects, *upload.buffer).has_value());
  EXPECT_TRUE(upload.is_right(offset, rects));
}

TEST_P(UploadFormats, FromTheLivePagesAllThatTheBufferShows) {
  const auto [program, scanout] = GetParam();
  Upload upload(make_layout(program, {50, 60}, 12), {33, 21}, scanout);
  const Point offset{7, 30};
  ASSERT_TRUE(upload.uploader.upload_live(upload.pages, upload.layout, offset, *upload.buffer).has_value());
  EXPECT_TRUE(upload.is_right(offset, {visible_part(offset, {33, 21})}));
}

INSTANTIATE_TEST_SUITE_P(Uploader, UploadFormats,
                         testing::Combine(testing::Values(PixelFormat::xrgb8888, PixelFormat::rgb888,
                                                          PixelFormat::rgb565, PixelFormat::xrgb1555),
                                          testing::ValuesIn(unit::all_formats)),
                         [](const auto& formats) {
                           return drmclient::fourcc_name(std::get<0>(formats.param)) + "to" +
                                  drmclient::fourcc_name(std::get<1>(formats.param));
                         });

TEST(Uploader, WithoutPaddingLinesFollowEachOther) {
  Upload upload(make_layout(PixelFormat::xrgb8888, {16, 40}), {16, 20}, PixelFormat::xrgb8888);
  ASSERT_TRUE(upload.uploader.upload_live(upload.pages, upload.layout, {0, 20}, *upload.buffer).has_value());
  EXPECT_TRUE(upload.is_right({0, 20}, {{0, 20, 16, 40}}));
}

TEST(Uploader, PicturesOfSeveralBandsAreWhole) {
  // Wider than a band of 256 KiB has lines for, and more lines than preadv(2) takes parts.
  for (const PixelFormat scanout : {PixelFormat::xrgb8888, PixelFormat::rgb565}) {
    Upload upload(make_layout(PixelFormat::xrgb8888, {300, 2200}), {300, 2200}, scanout);
    ASSERT_TRUE(upload.uploader.upload_live(upload.pages, upload.layout, {}, *upload.buffer).has_value());
    EXPECT_TRUE(upload.is_right({}, {{0, 0, 300, 2200}}));
    const Rect all{0, 0, 300, 2200};
    Upload tracked(make_layout(PixelFormat::xrgb8888, {300, 2200}), {300, 2200}, scanout);
    ASSERT_TRUE(
        tracked.uploader.upload(tracked.shadow, tracked.layout, {}, {&all, 1}, *tracked.buffer).has_value());
    EXPECT_TRUE(tracked.is_right({}, {all}));
  }
}

TEST(Uploader, NoRectanglesChangeNothing) {
  Upload upload(make_layout(PixelFormat::xrgb8888, {16, 16}), {16, 16}, PixelFormat::xrgb8888);
  ASSERT_TRUE(upload.uploader.upload(upload.shadow, upload.layout, {}, {}, *upload.buffer).has_value());
  EXPECT_TRUE(upload.is_right({}, {}));
}

TEST(Uploader, TellsThatTheBufferCannotBeReached) {
  Upload upload(make_layout(PixelFormat::xrgb8888, {16, 16}), {16, 16}, PixelFormat::xrgb8888);
  const Rect all{0, 0, 16, 16};
  upload.card.refuse_accesses(ENOMEM);
  EXPECT_EQ(
      upload.uploader.upload(upload.shadow, upload.layout, {}, {&all, 1}, *upload.buffer).error().value(),
      ENOMEM);
  EXPECT_EQ(upload.uploader.upload_live(upload.pages, upload.layout, {}, *upload.buffer).error().value(),
            ENOMEM);
}

TEST(Uploader, TellsThatTheLivePagesCannotBeRead) {
  for (const PixelFormat scanout : {PixelFormat::xrgb8888, PixelFormat::rgb565}) {
    Upload upload(make_layout(PixelFormat::xrgb8888, {20, 16}), {16, 16}, scanout);
    upload.pages.read_error = ENOTCONN;
    EXPECT_EQ(upload.uploader.upload_live(upload.pages, upload.layout, {}, *upload.buffer).error().value(),
              ENOTCONN);
  }
}

TEST(Uploader, LeavesTheBufferFreeWhetherItWorkedOrNot) {
  Upload upload(make_layout(PixelFormat::xrgb8888, {16, 16}), {16, 16}, PixelFormat::xrgb8888);
  upload.pages.read_error = EIO;
  ASSERT_FALSE(upload.uploader.upload_live(upload.pages, upload.layout, {}, *upload.buffer).has_value());
  EXPECT_TRUE(upload.buffer->begin_access(AccessMode::read).has_value());
  upload.pages.read_error = 0;
  ASSERT_TRUE(upload.uploader.upload_live(upload.pages, upload.layout, {}, *upload.buffer).has_value());
  EXPECT_TRUE(upload.buffer->begin_access(AccessMode::read).has_value());
}

RC_GTEST_PROP(Uploader, IsTheSlowReferencesPicture, ()) {
  const PixelFormat program = *rc::gen::elementOf(unit::all_formats);
  const PixelFormat scanout = *rc::gen::elementOf(unit::all_formats);
  const Size visible{*rc::gen::inRange(8U, 40U), *rc::gen::inRange(8U, 40U)};
  const Point offset{*rc::gen::inRange(0U, 9U), *rc::gen::inRange(0U, 9U)};
  const Size whole{visible.width + offset.x + *rc::gen::inRange(0U, 5U),
                   visible.height + offset.y + *rc::gen::inRange(0U, 5U)};
  const Layout layout = make_layout(program, whole, *rc::gen::element(0U, 4U, 60U));
  Upload upload(layout, visible, scanout);
  if (*rc::gen::arbitrary<bool>()) {
    RC_ASSERT(upload.uploader.upload_live(upload.pages, layout, offset, *upload.buffer).has_value());
    RC_ASSERT(upload.is_right(offset, {visible_part(offset, visible)}));
    return;
  }
  std::vector<Rect> rects;
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    const auto x = static_cast<int>(offset.x + *rc::gen::inRange(0U, visible.width));
    const auto y = static_cast<int>(offset.y + *rc::gen::inRange(0U, visible.height));
    rects.push_back({x, y, *rc::gen::inRange(x + 1, static_cast<int>(offset.x + visible.width) + 1),
                     *rc::gen::inRange(y + 1, static_cast<int>(offset.y + visible.height) + 1)});
  }
  RC_ASSERT(upload.uploader.upload(upload.shadow, layout, offset, rects, *upload.buffer).has_value());
  RC_ASSERT(upload.is_right(offset, rects));
}
