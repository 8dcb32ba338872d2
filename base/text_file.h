#pragma once

#include <filesystem>
#include <string>

namespace base {

/// Returns the first line of the file at `path`, without its end; empty if the file cannot be read.
[[nodiscard]] std::string first_line(const std::filesystem::path& path);

}  // namespace base
