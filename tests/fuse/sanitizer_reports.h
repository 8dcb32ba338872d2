#pragma once

#include <gtest/gtest.h>

#include <list>
#include <string>

#include "process.h"
#include "tests/support/environment.h"

namespace fuse_test {

/// Fails a test in which a sanitizer reported something in any process that the test started. The reports go
/// to files, because nobody may look at the exit status of a daemon that is killed, and its guard has no
/// standard error.
class SanitizerReports : public testing::EmptyTestEventListener {
 public:
  /// Tells the sanitizers of the programs that are started from now on where to write.
  SanitizerReports();
  ~SanitizerReports() override;
  SanitizerReports(const SanitizerReports&) = delete;
  SanitizerReports& operator=(const SanitizerReports&) = delete;

  /// Returns the text of all reports since the last call.
  [[nodiscard]] std::string take();

  void OnTestEnd(const testing::TestInfo& info) override;

 private:
  [[nodiscard]] std::string suppressions(const std::string& name, const std::string& lines) const;

  std::string folder_;
  std::list<unit::Environment> options_;
};

/// Options for a daemon that ends while ioctls are not answered yet: libfuse frees a request with its answer
/// only, which is a leak in the eyes of LeakSanitizer.
[[nodiscard]] ProcessOptions without_leak_check();

}  // namespace fuse_test
