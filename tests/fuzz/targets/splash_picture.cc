// The PNG file of the splash.
//
// Input: the file. The checksums of its chunks are corrected, because libpng would refuse most inputs
// otherwise.
#include <arpa/inet.h>
#include <sys/mman.h>
#include <zlib.h>

#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/unique_fd.h"
#include "drmclient/examples/splash/picture.h"
#include "drmclient/headless_options.h"
#include "tests/fuzz/fuzz.h"

namespace {

using fuzz::require;

constexpr size_t signature = 8;

uint32_t number_at(const std::string& file, size_t at) {
  uint32_t number = 0;
  std::memcpy(&number, file.data() + at, sizeof number);
  return ntohl(number);
}

/// Corrects the checksum of each chunk: length, type (4 bytes), contents, checksum.
void correct_checksums(std::string& file) {
  size_t at = signature;
  while (at + 12 <= file.size()) {
    const size_t contents = number_at(file, at);
    if (contents > file.size() - at - 12) return;
    const auto* type = reinterpret_cast<const Bytef*>(file.data()) + at + 4;
    const uint32_t sum = htonl(static_cast<uint32_t>(::crc32(0, type, static_cast<uInt>(contents + 4))));
    std::memcpy(file.data() + at + 8 + contents, &sum, sizeof sum);
    at += 12 + contents;
  }
}

}  // namespace

void fuzz::run(Input input) {
  std::string file(input.take_rest());
  correct_checksums(file);
  // A picture of 16384x16384 pixels is allowed, but takes too long here.
  constexpr uint32_t most_pixels = 512;
  if (file.size() >= 24 && (number_at(file, 16) > most_pixels || number_at(file, 20) > most_pixels)) return;
  const base::UniqueFd memory(::memfd_create("picture", MFD_CLOEXEC));
  require(::write(memory.get(), file.data(), file.size()) == static_cast<ssize_t>(file.size()),
          "memory suffices");
  std::optional<splash::Picture> picture;
  try {
    picture = splash::Picture::load("/proc/self/fd/" + std::to_string(memory.get()));
  } catch (const std::runtime_error&) {
    return;
  }
  const auto card = drmclient::open_headless_card({.size = {64, 48}});
  const auto buffer = card->create_buffer({64, 48}, drmclient::PixelFormat::xrgb8888);
  require(buffer.has_value(), "the card has a buffer");
  auto access = (*buffer)->begin_access(drmclient::AccessMode::write);
  require(access.has_value(), "the buffer is accessible");
  splash::draw_all(**buffer, *access, *picture, 50);
}
