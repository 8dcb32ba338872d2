#pragma once

#include <gtest/gtest.h>

#include <list>
#include <string>

#include "process.h"
#include "tests/support/environment.h"

namespace fuse_test {

/// The sanitizer reports of all processes that a test started; a report fails the test. The reports go to
/// files, because the exit status of a killed daemon is lost, and its guard has no standard error.
class SanitizerReports : public testing::EmptyTestEventListener {
 public:
  /// Directs the reports of programs started from now on to a folder.
  SanitizerReports();
  ~SanitizerReports() override;
  SanitizerReports(const SanitizerReports&) = delete;
  SanitizerReports& operator=(const SanitizerReports&) = delete;

  /// Returns the text of all reports since the previous call.
  [[nodiscard]] std::string take();

  void OnTestEnd(const testing::TestInfo& info) override;

 private:
  [[nodiscard]] std::string suppressions(const std::string& name, const std::string& lines) const;

  std::string folder_;
  std::list<unit::Environment> options_;
};

/// Returns options for a daemon that ends while ioctls are unanswered. libfuse frees a request only with its
/// answer, so LeakSanitizer would report a leak.
[[nodiscard]] ProcessOptions without_leak_check();

}  // namespace fuse_test
