#include "fbemu/pixels/uploader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "fbemu/fbdev/color_map.h"
#include "tests/support/fake_program_pages.h"
#include "tests/support/faulty_card.h"
#include "tests/support/reference_program_pixels.h"

using drmclient::AccessMode;
using drmclient::bytes_per_pixel;
using drmclient::PixelFormat;
using drmclient::Point;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;
using fbemu::BackingStore;
using fbemu::FramebufferState;
using fbemu::ProgramFormat;
using fbemu::Rotation;
using fbemu::Scaling;
using fbemu::Uploader;
using unit::FakeProgramPages;

namespace {

constexpr std::byte before{0x5a};

unit::FaultyOptions every_format() {
  unit::FaultyOptions options;
  options.formats.assign(unit::all_formats.begin(), unit::all_formats.end());
  options.moving_mappings = true;
  return options;
}

/// A framebuffer full of noise, in its backing store and page cache, and a scan-out buffer filled with
/// `before`.
class Upload {
 public:
  Upload(const FramebufferState& state, PixelFormat scanout)
      : fb_state(state),
        map(unit::some_color_map()),
        card(every_format()),
        buffer(std::move(*card.create_buffer(state.mode.size(), scanout))),
        memory(unit::noise(
            fbemu::round_up_to_page(uint64_t{state.layout.pitch_bytes} * state.layout.virtual_size.height),
            5)),
        backing_store(memory.size()),
        pages(memory.size(), [](uint64_t, std::span<const std::byte>) {}) {
    fb_state.palette = fbemu::make_palette(fb_state.layout.format, map);
    backing_store.store(0, memory);
    pages.store(0, memory);
    const auto access = buffer->begin_access(AccessMode::write);
    for (uint32_t y = 0; y < buffer->size().height; ++y) std::ranges::fill(access->row(y), before);
  }

  [[nodiscard]] bool upload(const std::vector<Rect>& rects) {
    return uploader.upload(backing_store, fb_state, rects, *buffer).has_value();
  }
  [[nodiscard]] bool upload_live() { return uploader.upload_live(pages, fb_state, *buffer).has_value(); }

  /// Returns the view's pixel as XRGB8888, computed by the reference.
  [[nodiscard]] uint32_t view_pixel(uint32_t x, uint32_t y) const {
    const uint32_t lines = fb_state.layout.virtual_size.height;
    const uint64_t line = fb_state.wraps ? (y + fb_state.offset.y) % lines : y + fb_state.offset.y;
    const std::byte* at = memory.data() + line * fb_state.layout.pitch_bytes;
    return unit::program_color(
        fb_state.layout.format,
        unit::program_value(fb_state.layout.format, at, uint64_t{x} + fb_state.offset.x), map);
  }
  /// Returns true if the buffer has the view's pixels inside `rects` (of the view) and is unchanged
  /// elsewhere.
  [[nodiscard]] bool is_right(const std::vector<Rect>& rects) {
    const Rect target = fb_state.view_transform().target();
    const auto affine = fb_state.view_transform().to_view();
    const auto access = buffer->begin_access(AccessMode::read);
    const size_t target_bytes = bytes_per_pixel(buffer->format());
    for (int32_t y = 0; y < static_cast<int32_t>(buffer->size().height); ++y) {
      for (int32_t x = 0; x < static_cast<int32_t>(buffer->size().width); ++x) {
        const std::byte* pixel =
            access->row(static_cast<uint32_t>(y)).data() + static_cast<size_t>(x) * target_bytes;
        const int view_x =
            static_cast<int>(std::floor(affine.xx * (x + 0.5) + affine.xy * (y + 0.5) + affine.x0));
        const int view_y =
            static_cast<int>(std::floor(affine.yx * (x + 0.5) + affine.yy * (y + 0.5) + affine.y0));
        const bool inside = x >= target.x1 && x < target.x2 && y >= target.y1 && y < target.y2;
        if (inside && contains(rects, view_x, view_y)) {
          const uint32_t wanted = unit::rounded_to(
              buffer->format(), view_pixel(static_cast<uint32_t>(view_x), static_cast<uint32_t>(view_y)));
          if (unit::decode(buffer->format(), pixel) != wanted) return false;
        } else if (!std::all_of(pixel, pixel + target_bytes, [](std::byte byte) { return byte == before; })) {
          return false;
        }
      }
    }
    return true;
  }
  [[nodiscard]] bool is_right() { return is_right({Rect::of(fb_state.size)}); }

  FramebufferState fb_state;
  fbemu::ColorMap map;
  unit::FaultyCard card;
  std::unique_ptr<ScanoutBuffer> buffer;
  std::vector<std::byte> memory;
  BackingStore backing_store;
  FakeProgramPages pages;
  Uploader uploader;

 private:
  static bool contains(const std::vector<Rect>& rects, int x, int y) {
    return std::ranges::any_of(
        rects, [&](const Rect& rect) { return rect.x1 <= x && x < rect.x2 && rect.y1 <= y && y < rect.y2; });
  }
};

/// Makes the state of a view on a virtual screen, on an output of the view's size.
FramebufferState make_fb_state(const ProgramFormat& format, Size virtual_size, Size view, Point offset = {},
                               uint32_t padding = 0) {
  FramebufferState fb_state;
  fb_state.layout.format = format;
  fb_state.layout.pitch_bytes = static_cast<uint32_t>(format.line_bytes(virtual_size.width)) + padding;
  fb_state.layout.virtual_size = virtual_size;
  fb_state.size = view;
  fb_state.offset = offset;
  fb_state.mode = drmclient::make_mode(view);
  return fb_state;
}

FramebufferState plain_fb_state(Size virtual_size, Size view, Point offset = {}) {
  return make_fb_state({}, virtual_size, view, offset);
}

class UploadFormats : public testing::TestWithParam<std::tuple<ProgramFormat, PixelFormat>> {};

}  // namespace

TEST_P(UploadFormats, UploadChangesRectanglesOnly) {
  const auto& [program, scanout] = GetParam();
  for (const uint32_t padding : {0U, 12U}) {
    Upload upload(make_fb_state(program, {51, 60}, {33, 21}, {7, 30}, padding), scanout);
    const std::vector<Rect> rects{{0, 0, 1, 1}, {3, 3, 20, 10}, {32, 20, 33, 21}};
    ASSERT_TRUE(upload.upload(rects));
    EXPECT_TRUE(upload.is_right(rects)) << padding;
  }
}

TEST_P(UploadFormats, UploadLiveChangesWholeView) {
  const auto& [program, scanout] = GetParam();
  for (const uint32_t padding : {0U, 12U}) {
    Upload upload(make_fb_state(program, {51, 60}, {33, 21}, {7, 30}, padding), scanout);
    ASSERT_TRUE(upload.upload_live());
    EXPECT_TRUE(upload.is_right()) << padding;
  }
}

INSTANTIATE_TEST_SUITE_P(Uploader, UploadFormats,
                         testing::Combine(testing::ValuesIn(unit::program_formats()),
                                          testing::ValuesIn(unit::all_formats)),
                         [](const auto& formats) {
                           const ProgramFormat& program = std::get<0>(formats.param);
                           return "bits" + std::to_string(program.bits_per_pixel) + "visual" +
                                  std::to_string(static_cast<int>(program.visual)) + "red" +
                                  std::to_string(program.red.offset) + "x" +
                                  std::to_string(program.red.length) + "to" +
                                  drmclient::fourcc_name(std::get<1>(formats.param));
                         });

TEST(Uploader, LinesWithoutPaddingAreUploaded) {
  Upload upload(plain_fb_state({16, 40}, {16, 20}, {0, 20}), PixelFormat::xrgb8888);
  ASSERT_TRUE(upload.upload_live());
  EXPECT_TRUE(upload.is_right());
}

TEST(Uploader, PictureOfSeveralBandsIsUploaded) {
  // Has more lines than a band of 256 KiB holds, and more than preadv(2) accepts parts.
  for (const PixelFormat scanout : {PixelFormat::xrgb8888, PixelFormat::rgb565}) {
    Upload upload(plain_fb_state({300, 2200}, {300, 2200}), scanout);
    ASSERT_TRUE(upload.upload_live());
    EXPECT_TRUE(upload.is_right());
    Upload tracked(plain_fb_state({300, 2200}, {300, 2200}), scanout);
    ASSERT_TRUE(tracked.upload({{0, 0, 300, 2200}}));
    EXPECT_TRUE(tracked.is_right());
  }
}

TEST(Uploader, SmallerPictureIsCentredAndKeepsBorder) {
  FramebufferState fb_state = plain_fb_state({40, 30}, {40, 30});
  fb_state.mode = drmclient::make_mode({65, 64});
  for (const PixelFormat scanout : {PixelFormat::xrgb8888, PixelFormat::rgb565}) {
    Upload upload(fb_state, scanout);
    ASSERT_TRUE(upload.upload_live());
    EXPECT_TRUE(upload.is_right());
  }
}

TEST(Uploader, ClearBorderChangesBorderOnly) {
  FramebufferState fb_state = plain_fb_state({40, 30}, {40, 30});
  fb_state.mode = drmclient::make_mode({65, 64});
  Upload upload(fb_state, PixelFormat::xrgb8888);
  ASSERT_TRUE(Uploader::clear_border(upload.fb_state, *upload.buffer).has_value());
  const Rect picture = fb_state.view_transform().target();
  const auto access = upload.buffer->begin_access(AccessMode::read);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 65; ++x) {
      const bool inside = x >= picture.x1 && x < picture.x2 && y >= picture.y1 && y < picture.y2;
      const std::byte wanted = inside ? before : std::byte{0};
      ASSERT_EQ(access->row(static_cast<uint32_t>(y))[static_cast<size_t>(x) * 4], wanted) << x << "," << y;
    }
  }
}

TEST(Uploader, RotationIsExact) {
  for (const auto rotation : {Rotation::clockwise, Rotation::half_turn, Rotation::counterclockwise}) {
    FramebufferState fb_state = make_fb_state(*fbemu::format_of_depth(8), {70, 60}, {61, 40}, {5, 9});
    fb_state.rotation = rotation;
    fb_state.mode = drmclient::make_mode(turned(fb_state.size, rotation));
    Upload upload(fb_state, PixelFormat::xrgb8888);
    ASSERT_TRUE(upload.upload_live());
    EXPECT_TRUE(upload.is_right()) << static_cast<int>(rotation);
    Upload tracked(fb_state, PixelFormat::rgb565);
    ASSERT_TRUE(tracked.upload({Rect::of(fb_state.size)}));
    EXPECT_TRUE(tracked.is_right()) << static_cast<int>(rotation);
    // Small damage changes only its own pixels.
    Upload small(fb_state, PixelFormat::xrgb8888);
    ASSERT_TRUE(small.upload({{3, 4, 10, 6}, {60, 39, 61, 40}}));
    EXPECT_TRUE(small.is_right({{3, 4, 10, 6}, {60, 39, 61, 40}})) << static_cast<int>(rotation);
  }
}

TEST(Uploader, WholeFactorIsExact) {
  // Uses more than one tile of 512 pixels, and factors without an exact binary inverse.
  for (const uint32_t factor : {3U, 7U, 30U}) {
    FramebufferState fb_state = plain_fb_state({45, 20}, {45, 20});
    fb_state.scaling = Scaling::integer;
    fb_state.mode = drmclient::make_mode({45 * factor + 2, 20 * factor + 1});
    Upload upload(fb_state, PixelFormat::xrgb8888);
    ASSERT_TRUE(upload.upload_live());
    EXPECT_TRUE(upload.is_right()) << factor;
  }
}

TEST(Uploader, ScaledPictureOfOneColourHasItAtEdges) {
  FramebufferState fb_state = plain_fb_state({40, 30}, {40, 30});
  fb_state.scaling = Scaling::fit;
  fb_state.mode = drmclient::make_mode({100, 64});
  Upload upload(fb_state, PixelFormat::xrgb8888);
  std::ranges::fill(upload.memory, std::byte{0xa7});
  upload.backing_store.store(0, upload.memory);
  ASSERT_TRUE(upload.upload({Rect::of(fb_state.size)}));
  EXPECT_TRUE(upload.is_right());
}

TEST(Uploader, ScaledDamageMatchesWholeUpload) {
  FramebufferState fb_state = plain_fb_state({40, 30}, {40, 30});
  fb_state.scaling = Scaling::fit;
  fb_state.mode = drmclient::make_mode({101, 77});
  Upload whole(fb_state, PixelFormat::xrgb8888);
  Upload parts(fb_state, PixelFormat::xrgb8888);
  ASSERT_TRUE(parts.upload({Rect::of(fb_state.size)}));
  for (Upload* upload : {&whole, &parts}) {
    const auto fresh = unit::noise(4 * 40 * 5, 99);
    upload->backing_store.store(4 * 40 * 11, fresh);
  }
  ASSERT_TRUE(whole.upload({Rect::of(fb_state.size)}));
  ASSERT_TRUE(parts.upload({{0, 11, 40, 16}}));
  const auto one = whole.buffer->begin_access(AccessMode::read);
  const auto other = parts.buffer->begin_access(AccessMode::read);
  for (uint32_t y = 0; y < 77; ++y) EXPECT_TRUE(std::ranges::equal(one->row(y), other->row(y))) << y;
}

TEST(Uploader, WrappedLinesComeFromFirstLine) {
  for (const auto rotation : {Rotation::none, Rotation::clockwise}) {
    FramebufferState fb_state = make_fb_state(*fbemu::format_of_depth(16), {33, 50}, {32, 24}, {1, 40});
    fb_state.wraps = true;
    fb_state.rotation = rotation;
    fb_state.mode = drmclient::make_mode(turned(fb_state.size, rotation));
    Upload live(fb_state, PixelFormat::xrgb8888);
    ASSERT_TRUE(live.upload_live());
    EXPECT_TRUE(live.is_right());
    Upload tracked(fb_state, PixelFormat::xrgb8888);
    const std::vector<Rect> rects{{3, 5, 9, 20}};
    ASSERT_TRUE(tracked.upload(rects));
    EXPECT_TRUE(tracked.is_right(rects));
  }
}

TEST(Uploader, NoRectanglesKeepBuffer) {
  Upload upload(plain_fb_state({16, 16}, {16, 16}), PixelFormat::xrgb8888);
  ASSERT_TRUE(upload.upload({}));
  EXPECT_TRUE(upload.is_right({}));
}

TEST(Uploader, FailedBufferAccessReturnsItsError) {
  Upload upload(plain_fb_state({16, 16}, {16, 16}), PixelFormat::xrgb8888);
  const Rect all{0, 0, 16, 16};
  upload.card.refuse_accesses(ENOMEM);
  EXPECT_EQ(upload.uploader.upload(upload.backing_store, upload.fb_state, {&all, 1}, *upload.buffer)
                .error()
                .value(),
            ENOMEM);
  EXPECT_EQ(upload.uploader.upload_live(upload.pages, upload.fb_state, *upload.buffer).error().value(),
            ENOMEM);
}

TEST(Uploader, FailedPageReadReturnsItsError) {
  for (const PixelFormat scanout : {PixelFormat::xrgb8888, PixelFormat::rgb565}) {
    Upload upload(plain_fb_state({20, 16}, {16, 16}), scanout);
    upload.pages.read_error = ENOTCONN;
    EXPECT_EQ(upload.uploader.upload_live(upload.pages, upload.fb_state, *upload.buffer).error().value(),
              ENOTCONN);
  }
}

TEST(Uploader, BufferAccessEndsAfterSuccessAndError) {
  Upload upload(plain_fb_state({16, 16}, {16, 16}), PixelFormat::xrgb8888);
  upload.pages.read_error = EIO;
  ASSERT_FALSE(upload.upload_live());
  EXPECT_TRUE(upload.buffer->begin_access(AccessMode::read).has_value());
  upload.pages.read_error = 0;
  ASSERT_TRUE(upload.upload_live());
  EXPECT_TRUE(upload.buffer->begin_access(AccessMode::read).has_value());
}

RC_GTEST_PROP(Uploader, RandomStatesMatchReference, ()) {
  const auto formats = unit::program_formats();
  const PixelFormat scanout = *rc::gen::elementOf(unit::all_formats);
  const Size visible{*rc::gen::inRange(8U, 40U), *rc::gen::inRange(8U, 40U)};
  const Point offset{*rc::gen::inRange(0U, 9U), *rc::gen::inRange(0U, 9U)};
  const Size whole{visible.width + offset.x + *rc::gen::inRange(0U, 5U),
                   visible.height + offset.y + *rc::gen::inRange(0U, 5U)};
  FramebufferState fb_state =
      make_fb_state(*rc::gen::elementOf(formats), whole, visible, offset, *rc::gen::element(0U, 1U, 4U, 60U));
  if (*rc::gen::arbitrary<bool>()) {
    fb_state.wraps = true;
    fb_state.offset.y = *rc::gen::inRange(0U, whole.height + 1);
  }
  fb_state.rotation = static_cast<Rotation>(*rc::gen::inRange(0, 4));
  const Size upright = turned(visible, fb_state.rotation);
  fb_state.mode = drmclient::make_mode({upright.width + *rc::gen::inRange(0U, 3U), upright.height});
  Upload upload(fb_state, scanout);
  if (*rc::gen::arbitrary<bool>()) {
    RC_ASSERT(upload.upload_live());
    RC_ASSERT(upload.is_right());
    return;
  }
  std::vector<Rect> rects;
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    const auto x = static_cast<int>(*rc::gen::inRange(0U, visible.width));
    const auto y = static_cast<int>(*rc::gen::inRange(0U, visible.height));
    rects.push_back({x, y, *rc::gen::inRange(x + 1, static_cast<int>(visible.width) + 1),
                     *rc::gen::inRange(y + 1, static_cast<int>(visible.height) + 1)});
  }
  RC_ASSERT(upload.upload(rects));
  RC_ASSERT(upload.is_right(rects));
}
