#include <gtest/gtest.h>

#include <cerrno>

#include "fbemu/open_file_limit.h"
#include "tests/support/error_of.h"

using fbemu::OpenFileLimit;
using unit::error_of;

namespace {

constexpr uint32_t root = 0;
constexpr uint32_t user = 1000;

/// Opens files until one is refused, at most 100,000. Returns their number.
unsigned opened_by(uint32_t who, OpenFileLimit& limit) {
  unsigned files = 0;
  while (files < 100'000 && limit.take(who)) ++files;
  return files;
}

}  // namespace

TEST(OpenFileLimit, UserAtLimitGetsEmfile) {
  OpenFileLimit limit;
  EXPECT_EQ(opened_by(user, limit), OpenFileLimit::most_of_a_user);
  EXPECT_EQ(error_of(limit.take(user)), EMFILE);
}

TEST(OpenFileLimit, RootHasLargerLimit) {
  OpenFileLimit limit;
  EXPECT_EQ(opened_by(root, limit), OpenFileLimit::most_of_root);
  EXPECT_EQ(error_of(limit.take(root)), EMFILE);
}

TEST(OpenFileLimit, UserAtLimitDoesNotAffectOthers) {
  OpenFileLimit limit;
  static_cast<void>(opened_by(user, limit));
  EXPECT_TRUE(limit.take(user + 1));
  EXPECT_TRUE(limit.take(root));
}

TEST(OpenFileLimit, ReleaseAllowsOneMoreFile) {
  OpenFileLimit limit;
  static_cast<void>(opened_by(user, limit));
  limit.release(user);
  EXPECT_TRUE(limit.take(user));
  EXPECT_EQ(error_of(limit.take(user)), EMFILE);
}
