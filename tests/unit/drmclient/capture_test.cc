#include "drmclient/capture.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tests/support/faulty_card.h"
#include "tests/support/reference_pixels.h"

using drmclient::AccessMode;
using drmclient::capture_buffer;
using drmclient::PixelFormat;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;

namespace {

unit::FaultyOptions every_format() {
  unit::FaultyOptions options;
  options.formats.assign(unit::all_formats.begin(), unit::all_formats.end());
  options.moving_mappings = true;
  return options;
}

void fill(ScanoutBuffer& buffer, uint64_t seed) {
  const auto access = buffer.begin_access(AccessMode::write);
  ASSERT_TRUE(access.has_value());
  for (uint32_t y = 0; y < buffer.size().height; ++y) {
    const auto bytes = unit::noise(access->row(y).size(), seed + y);
    std::memcpy(access->row(y).data(), bytes.data(), bytes.size());
  }
}

std::vector<uint32_t> reference_capture(ScanoutBuffer& buffer, const Rect& area) {
  std::vector<uint32_t> pixels;
  const auto access = buffer.begin_access(AccessMode::read);
  const size_t bytes = drmclient::bytes_per_pixel(buffer.format());
  for (int y = area.y1; y < area.y2; ++y) {
    for (int x = area.x1; x < area.x2; ++x) {
      pixels.push_back(unit::decode(
          buffer.format(), access->row(static_cast<uint32_t>(y)).data() + static_cast<size_t>(x) * bytes));
    }
  }
  return pixels;
}

class CaptureFormat : public testing::TestWithParam<PixelFormat> {};

}  // namespace

TEST_P(CaptureFormat, CaptureMatchesReference) {
  unit::FaultyCard card(every_format());
  const auto buffer = std::move(*card.create_buffer({67, 31}, GetParam()));
  fill(*buffer, 1);
  const Rect all = Rect::of(buffer->size());
  const auto capture = capture_buffer(*buffer, all);
  ASSERT_TRUE(capture.has_value());
  EXPECT_EQ(capture->size, buffer->size());
  EXPECT_EQ(capture->pixels, reference_capture(*buffer, all));
}

TEST_P(CaptureFormat, WhiteAndBlackAreExact) {
  unit::FaultyCard card(every_format());
  const auto buffer = std::move(*card.create_buffer({8, 8}, GetParam()));
  EXPECT_EQ(capture_buffer(*buffer, {0, 0, 1, 1})->pixels, std::vector<uint32_t>{0x000000});
  {
    const auto access = buffer->begin_access(AccessMode::write);
    std::memset(access->row(0).data(), 0xff, access->row(0).size());
  }
  EXPECT_EQ(capture_buffer(*buffer, {0, 0, 1, 1})->pixels, std::vector<uint32_t>{0xffffff});
}

INSTANTIATE_TEST_SUITE_P(Capture, CaptureFormat, testing::ValuesIn(unit::all_formats),
                         [](const auto& format) { return drmclient::fourcc_name(format.param); });

RC_GTEST_PROP(CaptureBuffer, AreaMatchesReference, ()) {
  const PixelFormat format = *rc::gen::elementOf(unit::all_formats);
  const auto width = *rc::gen::inRange(8, 40);
  const auto height = *rc::gen::inRange(8, 40);
  const auto x1 = *rc::gen::inRange(0, width);
  const auto y1 = *rc::gen::inRange(0, height);
  const Rect area{x1, y1, *rc::gen::inRange(x1 + 1, width + 1), *rc::gen::inRange(y1 + 1, height + 1)};
  unit::FaultyCard card(every_format());
  const auto buffer =
      std::move(*card.create_buffer({static_cast<uint32_t>(width), static_cast<uint32_t>(height)}, format));
  fill(*buffer, *rc::gen::inRange<uint64_t>(0, 1000));
  const auto capture = capture_buffer(*buffer, area);
  RC_ASSERT(capture.has_value());
  RC_ASSERT(capture->size == (Size{area.width(), area.height()}));
  RC_ASSERT(capture->pixels == reference_capture(*buffer, area));
}

TEST(CaptureBuffer, XByteIsCleared) {
  unit::FaultyCard card(every_format());
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  {
    const auto access = buffer->begin_access(AccessMode::write);
    const uint32_t pixel = 0xab123456;
    std::memcpy(access->data(), &pixel, sizeof pixel);
  }
  EXPECT_EQ(capture_buffer(*buffer, {0, 0, 1, 1})->pixels[0], 0x123456U);
}

TEST(CaptureBuffer, RefusedAccessGivesItsErrno) {
  unit::FaultyCard card(every_format());
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  card.refuse_accesses(EIO);
  const auto capture = capture_buffer(*buffer, {0, 0, 8, 8});
  ASSERT_FALSE(capture.has_value());
  EXPECT_EQ(capture.error().value(), EIO);
}

TEST(CaptureBuffer, CaptureEndsItsAccess) {
  unit::FaultyCard card(every_format());
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  ASSERT_TRUE(capture_buffer(*buffer, {0, 0, 8, 8}).has_value());
  EXPECT_TRUE(buffer->begin_access(AccessMode::write).has_value());
}
