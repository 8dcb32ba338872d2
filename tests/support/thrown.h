#pragma once

#include <gtest/gtest.h>

#include <string>
#include <system_error>

namespace unit {

/// The exception thrown by a call.
struct Thrown {
  int code = 0;      ///< errno of a std::system_error; 0 for another exception or none
  std::string what;  ///< empty if nothing was thrown
  [[nodiscard]] bool says(const std::string& part) const { return what.find(part) != std::string::npos; }
};

inline void PrintTo(const Thrown& thrown, std::ostream* out) {
  *out << thrown.code << ": " << thrown.what;
}

/// Calls `call` and returns the exception that it throws.
template <typename Call>
[[nodiscard]] Thrown thrown_by(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return {error.code().value(), error.what()};
  } catch (const std::exception& error) {
    return {0, error.what()};
  }
  return {};
}

}  // namespace unit
