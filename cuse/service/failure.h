#pragma once

#include <string>
#include <system_error>

namespace cuse {

/// Throws std::system_error with the errno `code` and the sentence `text`.
[[noreturn]] inline void fail(int code, const std::string& text) {
  throw std::system_error(code, std::generic_category(), text);
}

}  // namespace cuse
