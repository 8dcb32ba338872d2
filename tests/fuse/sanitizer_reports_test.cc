// A sanitizer report about a daemon fails the test, whatever ended the daemon.

#include "sanitizer_reports.h"

#include <gtest/gtest-spi.h>

#include <csignal>

#include "process.h"

namespace fuse_test {
namespace {

TEST(SanitizerReportsTest, ReportOfKilledProcessFailsTest) {
  SanitizerReports reports;
  ASSERT_EQ(run({SANITIZER_FAULT_PATH}).exit_status, 128 + SIGKILL);
  EXPECT_NONFATAL_FAILURE(reports.OnTestEnd(*testing::UnitTest::GetInstance()->current_test_info()),
                          "Sanitizer: ");
}

TEST(SanitizerReportsTest, NoFaultMakesNoReport) {
  SanitizerReports reports;
  ASSERT_EQ(run({FBEMUD_PATH, "--version"}).exit_status, 0);
  EXPECT_EQ(reports.take(), "");
}

TEST(SanitizerReportsTest, TwoTablesOfDescriptorsMakeNoReport) {
  SanitizerReports reports;
  ASSERT_EQ(run({SANITIZER_FAULT_PATH, "descriptors"}).exit_status, 0);
  EXPECT_EQ(reports.take(), "");
}

TEST(SanitizerReportsTest, FaultBesideTwoTablesOfDescriptorsIsReported) {
  SanitizerReports reports;
  static_cast<void>(run({SANITIZER_FAULT_PATH, "both"}));
  const std::string report = reports.take();
  EXPECT_NE(report.find("Sanitizer: "), std::string::npos);
  EXPECT_EQ(report.find("Location is file descriptor"), std::string::npos) << report;
}

}  // namespace
}  // namespace fuse_test
