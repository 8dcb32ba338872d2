#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "drmclient/geometry.h"

namespace cuse {

/// Writes XRGB8888 pixels (lines packed) as an RGB PNG to `path`, "-" for the standard output. A file appears
/// under its name only when it is whole. Throws std::system_error or std::runtime_error naming the file.
void write_png(const std::string& path, drmclient::Size size, std::span<const uint32_t> pixels);

}  // namespace cuse
