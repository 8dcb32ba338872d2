#include "picture.h"

#include <png.h>

#include <cstring>
#include <fstream>
#include <ios>
#include <sstream>
#include <stdexcept>

namespace fuse_test {
namespace {

constexpr uint32_t color_bits = 0xffffff;

}  // namespace

uint32_t drawn_pixel(uint32_t x, uint32_t y, uint32_t number) {
  const uint32_t red = x * 3 + y + number * 85;
  const uint32_t green = x + y * 5 + number * 51;
  const uint32_t blue = (x ^ y) + number * 17;
  return (red & 255U) << 16U | (green & 255U) << 8U | (blue & 255U);
}

Picture drawn_picture(uint32_t width, uint32_t height, uint32_t number, uint32_t first_line) {
  Picture picture{width, height, {}};
  picture.pixels.reserve(size_t{width} * height);
  for (uint32_t y = first_line; y < first_line + height; ++y) {
    for (uint32_t x = 0; x < width; ++x) picture.pixels.push_back(drawn_pixel(x, y, number));
  }
  return picture;
}

Picture black_picture(uint32_t width, uint32_t height) {
  return {width, height, std::vector<uint32_t>(size_t{width} * height)};
}

Picture picture_of(const std::string& bytes, uint32_t width, uint32_t height) {
  Picture picture = black_picture(width, height);
  if (bytes.size() < picture.pixels.size() * sizeof(uint32_t)) {
    throw std::runtime_error("the picture has only " + std::to_string(bytes.size()) + " bytes");
  }
  std::memcpy(picture.pixels.data(), bytes.data(), picture.pixels.size() * sizeof(uint32_t));
  for (uint32_t& pixel : picture.pixels) pixel &= color_bits;
  return picture;
}

std::string bytes_of(const Picture& picture) {
  return {reinterpret_cast<const char*>(picture.pixels.data()), picture.pixels.size() * sizeof(uint32_t)};
}

Picture read_png(const std::string& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) {
    throw std::runtime_error(file + " is not a PNG file: " + image.message);
  }
  image.format = PNG_FORMAT_BGRA;
  std::string bytes(PNG_IMAGE_SIZE(image), '\0');
  if (png_image_finish_read(&image, nullptr, bytes.data(), 0, nullptr) == 0) {
    throw std::runtime_error(file + " cannot be read: " + image.message);
  }
  return picture_of(bytes, image.width, image.height);
}

Picture parse_ppm(const std::string& bytes) {
  std::istringstream text(bytes);
  std::string magic;
  Picture picture;
  unsigned largest = 0;
  text >> magic >> picture.width >> picture.height >> largest;
  const auto start = static_cast<size_t>(text.tellg()) + 1;
  const size_t pixels = size_t{picture.width} * picture.height;
  if (!text || magic != "P6" || largest != 255 || bytes.size() != start + pixels * 3) {
    throw std::runtime_error("not a PPM picture");
  }
  for (size_t i = 0; i < pixels; ++i) {
    const auto channel = [&](size_t number) {
      return uint32_t{static_cast<uint8_t>(bytes[start + i * 3 + number])};
    };
    picture.pixels.push_back(channel(0) << 16U | channel(1) << 8U | channel(2));
  }
  return picture;
}

std::string read_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(const std::string& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream << bytes;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file);
}

testing::AssertionResult same(const Picture& is, const Picture& expected) {
  if (is.width != expected.width || is.height != expected.height) {
    return testing::AssertionFailure() << "the picture is " << is.width << "x" << is.height << ", not "
                                       << expected.width << "x" << expected.height;
  }
  size_t different = 0;
  size_t first = 0;
  for (size_t i = is.pixels.size(); i-- > 0;) {
    if (is.pixels[i] == expected.pixels[i]) continue;
    ++different;
    first = i;
  }
  if (different == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << different << " pixels differ, the first at " << first % is.width
                                     << "," << first / is.width << ": " << std::hex << is.pixels[first]
                                     << ", not " << expected.pixels[first];
}

}  // namespace fuse_test
