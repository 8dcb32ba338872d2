#pragma once

#include <cerrno>
#include <system_error>
#include <tl/expected.hpp>

namespace base {

/// What a call that may fail in the ordinary course of things gives: a value, or an errno as std::error_code.
template <typename T>
using Result = tl::expected<T, std::error_code>;

/// `code` (a positive errno) as the failed state of any Result.
[[nodiscard]] inline tl::unexpected<std::error_code> failure(int code) {
  return tl::make_unexpected(std::error_code(code, std::generic_category()));
}

/// The calling thread's errno as the failed state of any Result.
[[nodiscard]] inline tl::unexpected<std::error_code> failure_from_errno() {
  return failure(errno);
}

}  // namespace base
