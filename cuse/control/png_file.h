#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "drmclient/geometry.h"

namespace cuse {

/// Writes XRGB8888 pixels (lines packed) as an RGB PNG to `path`, or to the standard output if `path` is "-".
/// A file appears under its name only when it is complete. Throws std::system_error that names the file, or
/// std::runtime_error if the number of pixels is wrong.
void write_png(const std::string& path, drmclient::Size size, std::span<const uint32_t> pixels);

}  // namespace cuse
