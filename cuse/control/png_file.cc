#include "cuse/control/png_file.h"

#include <fcntl.h>
#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "cuse/service/failure.h"

namespace cuse {
namespace {

std::vector<uint8_t> to_rgb(std::span<const uint32_t> pixels) {
  std::vector<uint8_t> rgb;
  rgb.reserve(pixels.size() * 3);
  for (const uint32_t pixel : pixels) {
    rgb.push_back(static_cast<uint8_t>(pixel >> 16));
    rgb.push_back(static_cast<uint8_t>(pixel >> 8));
    rgb.push_back(static_cast<uint8_t>(pixel));
  }
  return rgb;
}

void write_to(std::FILE* file, const std::string& name, drmclient::Size size,
              std::span<const uint32_t> pixels) {
  const std::vector<uint8_t> rgb = to_rgb(pixels);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = size.width;
  image.height = size.height;
  image.format = PNG_FORMAT_RGB;
  errno = 0;
  const bool written = png_image_write_to_stdio(&image, file, 0, rgb.data(), 0, nullptr) != 0;
  if (!written || std::fflush(file) != 0) {
    const int error = errno;
    const std::string reason = image.message[0] != '\0' ? std::string(" (") + image.message + ")" : "";
    fail(error != 0 ? error : EIO, "cannot write " + name + reason);
  }
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

void write_png(const std::string& path, drmclient::Size size, std::span<const uint32_t> pixels) {
  if (pixels.size() != size.area() || pixels.empty())
    throw std::runtime_error("there are no pixels to write");
  if (path == "-") return write_to(stdout, "the standard output", size, pixels);

  // A device or a pipe cannot be replaced by a file.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wbe"));
    if (!file) fail(errno, "cannot open " + path);
    return write_to(file.get(), path, size, pixels);
  }

  std::string temporary = path + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) fail(errno, "cannot write " + path);
  std::unique_ptr<std::FILE, CloseFile> file(::fdopen(descriptor, "wb"));
  try {
    write_to(file.get(), path, size, pixels);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, 0666 & ~mask);
    if (std::fclose(file.release()) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0) {
      fail(errno, "cannot write " + path);
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace cuse
