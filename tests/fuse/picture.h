#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fuse_test {

/// A picture of 0xRRGGBB pixels, line by line.
struct Picture {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint32_t> pixels;

  [[nodiscard]] uint32_t at(uint32_t x, uint32_t y) const { return pixels.at(size_t{y} * width + x); }
};

/// Returns the pixel that fbprogram draws at x, y of the virtual screen for picture `number`.
[[nodiscard]] uint32_t drawn_pixel(uint32_t x, uint32_t y, uint32_t number);
/// Returns the screenful that fbprogram draws from line `first_line` of the virtual screen on.
[[nodiscard]] Picture drawn_picture(uint32_t width, uint32_t height, uint32_t number,
                                    uint32_t first_line = 0);
[[nodiscard]] Picture black_picture(uint32_t width, uint32_t height);

/// Returns `bytes` as 32-bit pixels, blue first; the fourth byte of each is dropped.
[[nodiscard]] Picture picture_of(const std::string& bytes, uint32_t width, uint32_t height);
/// Returns the 32-bit pixels that a program would write with write(2).
[[nodiscard]] std::string bytes_of(const Picture& picture);
/// Reads a PNG file. Throws std::runtime_error if it is not one.
[[nodiscard]] Picture read_png(const std::string& file);
/// Parses a PPM file. Throws std::runtime_error if it is not one.
[[nodiscard]] Picture parse_ppm(const std::string& bytes);
[[nodiscard]] std::string read_file(const std::string& file);
void write_file(const std::string& file, const std::string& bytes);

/// Compares two pictures for EXPECT_TRUE; the failure names the first different pixel.
[[nodiscard]] testing::AssertionResult same(const Picture& is, const Picture& expected);

}  // namespace fuse_test
