#pragma once

#include <gtest/gtest.h>

#include <string>
#include <system_error>

namespace unit {

/// What a call threw.
struct Thrown {
  int code = 0;      ///< the errno; 0 where it threw nothing, or no std::system_error
  std::string what;  ///< empty where it threw nothing
  [[nodiscard]] bool says(const std::string& part) const { return what.find(part) != std::string::npos; }
};

inline void PrintTo(const Thrown& thrown, std::ostream* out) {
  *out << thrown.code << ": " << thrown.what;
}

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
