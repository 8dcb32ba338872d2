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

/// The pixel that fbprogram draws at x, y of the virtual screen for that number.
[[nodiscard]] uint32_t drawn_pixel(uint32_t x, uint32_t y, uint32_t number);
/// The screenful that fbprogram draws from line `first_line` of the virtual screen on.
[[nodiscard]] Picture drawn_picture(uint32_t width, uint32_t height, uint32_t number,
                                    uint32_t first_line = 0);
[[nodiscard]] Picture black_picture(uint32_t width, uint32_t height);

/// `bytes` as 32-bit pixels, blue first; the fourth byte of each is dropped.
[[nodiscard]] Picture picture_of(const std::string& bytes, uint32_t width, uint32_t height);
/// As a program writes it with write(2): 32-bit pixels.
[[nodiscard]] std::string bytes_of(const Picture& picture);
/// Throw std::runtime_error where the file is none.
[[nodiscard]] Picture read_png(const std::string& file);
[[nodiscard]] Picture parse_ppm(const std::string& bytes);
[[nodiscard]] std::string read_file(const std::string& file);
void write_file(const std::string& file, const std::string& bytes);

/// For EXPECT_TRUE: names the first pixel that differs.
[[nodiscard]] testing::AssertionResult same(const Picture& is, const Picture& expected);

}  // namespace fuse_test
