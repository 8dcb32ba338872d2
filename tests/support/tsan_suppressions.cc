// Suppressions of wrong reports by ThreadSanitizer.
#include "tests/support/tsan_suppressions.h"

#include <algorithm>
#include <array>

namespace {

/// libstdc++ counts the owners of an exception without instrumentation. So the thread that releases it last
/// seems to race with the thread that caught it from a std::future.
constexpr std::string_view exception_suppressions = "race:std::__exception_ptr::exception_ptr::_M_release\n";

constexpr auto joined = [] {
  std::array<char, exception_suppressions.size() + unit::descriptor_suppressions.size() + 1> text{};
  const auto end = std::ranges::copy(exception_suppressions, text.begin()).out;
  std::ranges::copy(unit::descriptor_suppressions, end);
  return text;
}();

/// All of them. The compiler joins them, because ThreadSanitizer asks before it can run instrumented
/// functions.
constexpr const char* suppressions = joined.data();

}  // namespace

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return suppressions;
}
