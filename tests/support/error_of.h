#pragma once

#include "base/result.h"

namespace unit {

/// Returns the errno of a failed `result`, or 0.
template <typename T>
[[nodiscard]] int error_of(const base::Result<T>& result) {
  return result ? 0 : result.error().value();
}

}  // namespace unit
