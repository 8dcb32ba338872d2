#include "drmclient/examples/splash/picture.h"

#include <png.h>

#include <algorithm>
#include <stdexcept>

#include "drmclient/pixman_format.h"

namespace splash {
namespace {

using drmclient::Access;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;

constexpr pixman_color_t color(uint32_t rgb) {
  // Maps 0xff to 0xffff.
  const auto channel = [rgb](unsigned shift) { return static_cast<uint16_t>((rgb >> shift & 0xff) * 0x101); };
  return {channel(16), channel(8), channel(0), 0xffff};
}

constexpr uint32_t background_rgb = 0x182430;
constexpr pixman_color_t background = color(background_rgb);
constexpr pixman_color_t bar_to_do = color(0x405060);
constexpr pixman_color_t bar_done = color(0xf0a030);
constexpr pixman_color_t ink = color(0xd0d8e0);

void fill_rect(pixman_image_t* image, const pixman_color_t& what, const Rect& rect) {
  const pixman_box32_t box{rect.x1, rect.y1, rect.x2, rect.y2};
  pixman_image_fill_boxes(PIXMAN_OP_SRC, image, &what, 1, &box);
}

/// The buffer as a pixman image during one access.
class Canvas {
 public:
  Canvas(const ScanoutBuffer& buffer, Access& access)
      : image_(pixman_image_create_bits_no_clear(
            drmclient::pixman_format(buffer.format()), static_cast<int>(buffer.size().width),
            static_cast<int>(buffer.size().height), reinterpret_cast<uint32_t*>(access.data()),
            static_cast<int>(buffer.pitch_bytes()))) {
    if (image_ == nullptr)
      throw std::runtime_error("pixman does not support the format and pitch of the buffer");
  }
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  ~Canvas() { pixman_image_unref(image_); }
  [[nodiscard]] pixman_image_t* image() const { return image_; }

 private:
  pixman_image_t* image_;
};

void draw_bar_on(pixman_image_t* image, const Rect& bar, unsigned percent) {
  const auto done = static_cast<int32_t>(uint64_t{bar.width()} * percent / 100);
  fill_rect(image, bar_done, {bar.x1, bar.y1, bar.x1 + done, bar.y2});
  fill_rect(image, bar_to_do, {bar.x1 + done, bar.y1, bar.x2, bar.y2});
}

}  // namespace

Picture::Picture(Size size)
    : size_(size),
      pixels_(size.area()),
      image_(pixman_image_create_bits(PIXMAN_r8g8b8, static_cast<int>(size.width),
                                      static_cast<int>(size.height), pixels_.data(),
                                      static_cast<int>(size.width * sizeof(uint32_t)))) {
  if (!image_) throw std::runtime_error("the picture is too large");
}

void Picture::fill(const pixman_color_t& what, const Rect& rect) const {
  fill_rect(image(), what, rect);
}

Picture Picture::plain() {
  Picture picture({160, 140});
  picture.fill(background, Rect::of(picture.size_));
  picture.fill(ink, {0, 0, 160, 108});
  picture.fill(bar_done, {8, 8, 152, 100});
  picture.fill(ink, {70, 108, 90, 128});
  picture.fill(ink, {40, 128, 120, 140});
  return picture;
}

Picture Picture::load(const std::string& png_path) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const auto failed = [&] {
    const std::string reason = static_cast<const char*>(png.message);
    png_image_free(&png);
    return std::runtime_error("cannot read the picture " + png_path + ": " + reason);
  };
  if (png_image_begin_read_from_file(&png, png_path.c_str()) == 0) throw failed();
  constexpr uint32_t largest_side = 16'384;  // larger than any screen; pixman has coordinates of 16 bits
  if (png.width > largest_side || png.height > largest_side) {
    png_image_free(&png);
    throw std::runtime_error("the picture " + png_path + " is larger than 16384x16384");
  }
  png.format = PNG_FORMAT_BGR;
  Picture picture({png.width, png.height});
  const png_color behind{background_rgb >> 16, background_rgb >> 8 & 0xff, background_rgb & 0xff};
  const auto stride = static_cast<png_int_32>(png.width * sizeof(uint32_t));
  if (png_image_finish_read(&png, &behind, picture.pixels_.data(), stride, nullptr) == 0) throw failed();
  return picture;
}

void Picture::draw(pixman_image_t* target, const Rect& place) const {
  pixman_transform_t transform;
  pixman_transform_init_scale(&transform,
                              pixman_double_to_fixed(static_cast<double>(size_.width) / place.width()),
                              pixman_double_to_fixed(static_cast<double>(size_.height) / place.height()));
  const bool scaled = place.size() != size_;
  pixman_image_set_transform(image(), scaled ? &transform : nullptr);
  pixman_image_set_filter(image(), scaled ? PIXMAN_FILTER_GOOD : PIXMAN_FILTER_NEAREST, nullptr, 0);
  pixman_image_set_repeat(image(), PIXMAN_REPEAT_PAD);
  pixman_image_composite32(PIXMAN_OP_SRC, image(), nullptr, target, 0, 0, 0, 0, place.x1, place.y1,
                           static_cast<int32_t>(place.width()), static_cast<int32_t>(place.height()));
}

Rect place_of_picture(Size picture, Size screen) {
  const uint64_t room_x = std::max(1U, screen.width * 4 / 5);
  const uint64_t room_y = std::max(1U, screen.height * 3 / 5);
  uint64_t width = picture.width;
  uint64_t height = picture.height;
  if (width > room_x || height > room_y) {
    const bool wide = width * room_y > height * room_x;
    width = wide ? room_x : std::max<uint64_t>(1, picture.width * room_y / picture.height);
    height = wide ? std::max<uint64_t>(1, picture.height * room_x / picture.width) : room_y;
  }
  const auto x = static_cast<int32_t>((screen.width - width) / 2);
  const auto y = static_cast<int32_t>((uint64_t{screen.height} * 3 / 4 - height) / 2);
  return {x, y, x + static_cast<int32_t>(width), y + static_cast<int32_t>(height)};
}

Rect place_of_bar(Size screen) {
  const auto width = static_cast<int32_t>(screen.width);
  const auto height = static_cast<int32_t>(screen.height);
  const int32_t top = height * 5 / 6;
  return {width / 4, top, width - width / 4, std::min(height, top + std::max(4, height / 40))};
}

void draw_all(const ScanoutBuffer& buffer, Access& access, const Picture& picture, unsigned percent) {
  const Canvas canvas(buffer, access);
  fill_rect(canvas.image(), background, Rect::of(buffer.size()));
  picture.draw(canvas.image(), place_of_picture(picture.size(), buffer.size()));
  draw_bar_on(canvas.image(), place_of_bar(buffer.size()), percent);
}

void draw_bar(const ScanoutBuffer& buffer, Access& access, unsigned percent) {
  const Canvas canvas(buffer, access);
  draw_bar_on(canvas.image(), place_of_bar(buffer.size()), percent);
}

}  // namespace splash
