#pragma once

#include <pixman.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/scanout_buffer.h"

namespace splash {

/// The picture above the bar, with 8 bits each of red, green and blue.
class Picture {
 public:
  /// Draws the default picture: a display made of a few rectangles.
  [[nodiscard]] static Picture plain();
  /// Reads a PNG file; transparent pixels get the background colour. Throws std::runtime_error that names the
  /// file and the problem.
  [[nodiscard]] static Picture load(const std::string& png_path);

  [[nodiscard]] drmclient::Size size() const { return size_; }
  /// Copies the picture to `place` in `target` and scales it.
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

/// Returns the place of a picture on a screen: in its own size, or scaled down if it is too large.
[[nodiscard]] drmclient::Rect place_of_picture(drmclient::Size picture, drmclient::Size screen);

/// Returns the place of the bar, which is filled from the left.
[[nodiscard]] drmclient::Rect place_of_bar(drmclient::Size screen);

/// Fills the whole buffer: background, picture, and the bar at `percent` (0 to 100).
void draw_all(const drmclient::ScanoutBuffer& buffer, drmclient::Access& access, const Picture& picture,
              unsigned percent);

/// Draws only the bar, at place_of_bar().
void draw_bar(const drmclient::ScanoutBuffer& buffer, drmclient::Access& access, unsigned percent);

}  // namespace splash
