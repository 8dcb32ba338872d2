#include <gtest/gtest.h>

#include "sanitizer_reports.h"

int main(int count, char** words) {
  testing::InitGoogleTest(&count, words);
  // Only builds with a sanitizer write reports.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  testing::UnitTest::GetInstance()->listeners().Append(new fuse_test::SanitizerReports);
#endif
  return RUN_ALL_TESTS();
}
