#pragma once

#include <cerrno>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

namespace base {

/// The result of a call that is expected to fail at times: a value, or an errno as std::error_code.
template <typename T>
using Result = tl::expected<T, std::error_code>;

/// Returns `code` (a positive errno) as the failed state of any Result.
[[nodiscard]] inline tl::unexpected<std::error_code> failure(int code) {
  return tl::make_unexpected(std::error_code(code, std::generic_category()));
}

/// Returns the calling thread's errno as the failed state of any Result.
[[nodiscard]] inline tl::unexpected<std::error_code> failure_from_errno() {
  return failure(errno);
}

namespace detail {

/// Returns the value of a successful `result`, which BASE_TRY moves out of it.
template <typename T>
T&& take_value(Result<T>&& result) {
  return *std::move(result);
}
inline void take_value(Result<void>&&) {}

}  // namespace detail

}  // namespace base

/// Gives the value of `expression`, a base::Result; if it failed, returns its error from the calling
/// function, which returns a Result as well. Use it as a whole statement, initializer or operand of return,
/// as in
///
///     BASE_TRY(card.check_master());
///     auto buffer = BASE_TRY(card.create_buffer(size, format));
///
/// It is a statement expression, which GCC and Clang support.
#define BASE_TRY(expression)                                                              \
  __extension__({                                                                         \
    auto base_try_result = (expression);                                                  \
    if (!base_try_result) return tl::make_unexpected(std::move(base_try_result).error()); \
    ::base::detail::take_value(std::move(base_try_result));                               \
  })
