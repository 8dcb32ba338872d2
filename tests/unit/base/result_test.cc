#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <utility>

using base::Result;

namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return base::failure(EDOM);
  return number / 2;
}

Result<int> quarter(int number) {
  const int halved = BASE_TRY(half(number));
  return half(halved);
}

Result<void> check_even(int number) {
  BASE_TRY(half(number));
  return {};
}

Result<int> count_after_check(int number, int& count) {
  BASE_TRY(check_even(number));
  return ++count;
}

Result<std::unique_ptr<int>> make_number(int number) {
  return std::make_unique<int>(number);
}

Result<std::unique_ptr<int>> forward_number(int number) {
  auto made = BASE_TRY(make_number(number));
  return made;
}

}  // namespace

TEST(Result, FailureHoldsErrnoOfGenericCategory) {
  const Result<int> failed = base::failure(ENOSPC);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error(), std::errc::no_space_on_device);
}

TEST(Result, FailureFromErrnoHoldsErrnoOfThread) {
  errno = EPERM;
  const Result<void> failed = base::failure_from_errno();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().value(), EPERM);
}

TEST(ResultTry, SuccessGivesValue) {
  EXPECT_EQ(quarter(12), 3);
}

TEST(ResultTry, FailureReturnsErrorFromCaller) {
  const auto failed = quarter(7);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().value(), EDOM);
}

TEST(ResultTry, SuccessWithoutValueContinues) {
  int count = 0;
  EXPECT_EQ(count_after_check(2, count), 1);
}

TEST(ResultTry, FailureWithoutValueSkipsRest) {
  int count = 0;
  const auto failed = count_after_check(3, count);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().value(), EDOM);
  EXPECT_EQ(count, 0);
}

TEST(ResultTry, MoveOnlyValueIsMoved) {
  const auto made = forward_number(5);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(**made, 5);
}
