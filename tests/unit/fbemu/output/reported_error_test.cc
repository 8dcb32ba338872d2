#include "fbemu/output/reported_error.h"

#include <gtest/gtest.h>

#include <system_error>

#include "tests/support/manual_clock.h"

using fbemu::ReportedError;
using News = fbemu::ReportedError::News;
using std::chrono::milliseconds;

namespace {

const std::error_code busy = std::make_error_code(std::errc::device_or_resource_busy);
const std::error_code broken = std::make_error_code(std::errc::io_error);

class ReportedErrors : public testing::Test {
 protected:
  unit::ManualClock clock;
};

}  // namespace

TEST_F(ReportedErrors, LastingFailureIsNewsOnce) {
  ReportedError error;
  EXPECT_EQ(error.update(busy, clock.now()), News::fails);
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(error.update(busy, clock.now()), News::none);
  EXPECT_EQ(error.error(), busy);
}

TEST_F(ReportedErrors, EndOfReportedFailureIsNewsOnce) {
  ReportedError error;
  ASSERT_EQ(error.update(busy, clock.now()), News::fails);
  EXPECT_EQ(error.update({}, clock.now()), News::works);
  EXPECT_EQ(error.update({}, clock.now()), News::none);
  EXPECT_EQ(error.error(), std::error_code());
}

TEST_F(ReportedErrors, OtherErrorIsNews) {
  ReportedError error;
  ASSERT_EQ(error.update(busy, clock.now()), News::fails);
  EXPECT_EQ(error.update(broken, clock.now()), News::fails);
}

TEST_F(ReportedErrors, FailureWithinTimeoutIsNoNews) {
  ReportedError error;
  EXPECT_EQ(error.update(busy, clock.now(), milliseconds(100)), News::none);
  clock.advance(milliseconds(99));
  EXPECT_EQ(error.update(busy, clock.now(), milliseconds(100)), News::none);
  EXPECT_EQ(error.update({}, clock.now(), milliseconds(100)), News::none);
}

TEST_F(ReportedErrors, FailureBeyondTimeoutIsNews) {
  ReportedError error;
  ASSERT_EQ(error.update(busy, clock.now(), milliseconds(100)), News::none);
  clock.advance(milliseconds(100));
  EXPECT_EQ(error.update(busy, clock.now(), milliseconds(100)), News::fails);
}

TEST_F(ReportedErrors, RepeatedFailuresAreNewsOncePerQuietTime) {
  ReportedError error(milliseconds(1000));
  ASSERT_EQ(error.update(busy, clock.now()), News::fails);
  ASSERT_EQ(error.update({}, clock.now()), News::works);
  clock.advance(milliseconds(999));
  EXPECT_EQ(error.update(busy, clock.now()), News::none);
  EXPECT_EQ(error.error(), busy);
  EXPECT_EQ(error.update({}, clock.now()), News::none);
  EXPECT_EQ(error.update(busy, clock.now()), News::none);
  clock.advance(milliseconds(1));
  EXPECT_EQ(error.update(busy, clock.now()), News::fails);
}

TEST_F(ReportedErrors, ClearedFailureHasNoEnd) {
  ReportedError error;
  ASSERT_EQ(error.update(busy, clock.now()), News::fails);
  error.clear();
  EXPECT_EQ(error.error(), std::error_code());
  EXPECT_EQ(error.update({}, clock.now()), News::none);
}
