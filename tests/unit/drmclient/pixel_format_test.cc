#include "drmclient/pixel_format.h"

#include <gtest/gtest.h>

#include "drmclient/pixman_format.h"

using drmclient::bytes_per_pixel;
using drmclient::fourcc_name;
using drmclient::PixelFormat;

TEST(PixelFormat, BytesPerPixelMatchFormat) {
  EXPECT_EQ(bytes_per_pixel(PixelFormat::xrgb8888), 4U);
  EXPECT_EQ(bytes_per_pixel(PixelFormat::argb8888), 4U);
  EXPECT_EQ(bytes_per_pixel(PixelFormat::bgrx8888), 4U);
  EXPECT_EQ(bytes_per_pixel(PixelFormat::rgb888), 3U);
  EXPECT_EQ(bytes_per_pixel(PixelFormat::rgb565), 2U);
  EXPECT_EQ(bytes_per_pixel(PixelFormat::xrgb1555), 2U);
}

TEST(PixelFormat, UnknownCodeHasNoBytes) {
  EXPECT_EQ(bytes_per_pixel(static_cast<PixelFormat>(0x20203852)), 0U);
}

TEST(PixelFormat, NameHasFourCharactersOfCode) {
  EXPECT_EQ(fourcc_name(PixelFormat::xrgb8888), "XR24");
  EXPECT_EQ(fourcc_name(PixelFormat::argb8888), "AR24");
  EXPECT_EQ(fourcc_name(PixelFormat::bgrx8888), "BX24");
  EXPECT_EQ(fourcc_name(PixelFormat::rgb888), "RG24");
  EXPECT_EQ(fourcc_name(PixelFormat::rgb565), "RG16");
  EXPECT_EQ(fourcc_name(PixelFormat::xrgb1555), "XR15");
}

TEST(PixelFormat, PixmanFormatHasSameBitsPerPixel) {
  for (const PixelFormat format : {PixelFormat::xrgb8888, PixelFormat::argb8888, PixelFormat::bgrx8888,
                                   PixelFormat::rgb888, PixelFormat::rgb565, PixelFormat::xrgb1555}) {
    EXPECT_EQ(PIXMAN_FORMAT_BPP(static_cast<uint32_t>(drmclient::pixman_format(format))),
              8 * bytes_per_pixel(format))
        << fourcc_name(format);
  }
}
