#pragma once

#include <pixman.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/scanout_buffer.h"

namespace splash {

/// What is shown above the bar: red, green and blue, 8 bits each.
class Picture {
 public:
  /// A display, drawn in a few rectangles.
  [[nodiscard]] static Picture plain();
  /// Throws std::runtime_error that names the file and what is wrong with it. What is transparent gets the
  /// colour of the background.
  [[nodiscard]] static Picture load(const std::string& png_path);

  [[nodiscard]] drmclient::Size size() const { return size_; }
  /// Copies it into `target`, scaled.
  void draw(pixman_image_t* target, const drmclient::Rect& place) const;

 private:
  explicit Picture(drmclient::Size size);
  [[nodiscard]] pixman_image_t* image() const { return image_.get(); }
  void fill(const pixman_color_t& what, const drmclient::Rect& rect) const;

  struct Unref {
    void operator()(pixman_image_t* image) const { pixman_image_unref(image); }
  };
  drmclient::Size size_;
  std::vector<uint32_t> pixels_;
  std::unique_ptr<pixman_image_t, Unref> image_;
};

/// Where a picture of that size goes on a screen: in its own size or, where that is too large, scaled down.
[[nodiscard]] drmclient::Rect place_of_picture(drmclient::Size picture, drmclient::Size screen);

/// Where the bar goes; what is done is as much of it from the left.
[[nodiscard]] drmclient::Rect place_of_bar(drmclient::Size screen);

/// Fills the whole buffer: background, picture and the bar at `percent` (0 to 100).
void draw_all(const drmclient::ScanoutBuffer& buffer, drmclient::Access& access, const Picture& picture,
              unsigned percent);

/// Fills place_of_bar().
void draw_bar(const drmclient::ScanoutBuffer& buffer, drmclient::Access& access, unsigned percent);

}  // namespace splash
