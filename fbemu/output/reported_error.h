#pragma once

#include <chrono>
#include <optional>
#include <system_error>

#include "base/clock.h"

namespace fbemu {

/// The outcome of a repeated attempt, so that the log has a failure once. Not thread-safe.
class ReportedError {
 public:
  using Duration = std::chrono::milliseconds;

  /// The news for the log.
  enum class News {
    none,
    fails,  ///< the attempts fail, and the log does not have that yet
    works,  ///< an attempt worked after a failure that is in the log
  };

  /// Reports at most one failure in `quiet`; a lasting failure is reported after it.
  explicit ReportedError(Duration quiet = Duration(0)) : quiet_(quiet) {}

  /// Records the outcome of an attempt. A failure that ends within `timeout` is no news.
  [[nodiscard]] News update(std::error_code outcome, base::Clock::Time now, Duration timeout = Duration(0));
  /// Returns the outcome of the last attempt.
  [[nodiscard]] std::error_code error() const { return error_; }
  /// Removes the failure, because nothing is attempted any more.
  void clear();

 private:
  Duration quiet_;
  std::error_code error_;
  base::Clock::Time since_;
  bool logged_ = false;  ///< the log has error_
  std::optional<base::Clock::Time> last_logged_;
};

}  // namespace fbemu
