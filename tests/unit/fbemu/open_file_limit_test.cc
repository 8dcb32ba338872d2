#include <gtest/gtest.h>

#include <cerrno>

#include "fbemu/open_file_limit.h"

using fbemu::OpenFileLimit;

namespace {

constexpr uint32_t root = 0;
constexpr uint32_t user = 1000;

/// Opens files until one is refused, 100,000 at most; returns how many.
unsigned opened_by(uint32_t who, OpenFileLimit& limit) {
  unsigned files = 0;
  while (files < 100'000 && limit.take(who) == 0) ++files;
  return files;
}

}  // namespace

TEST(OpenFileLimit, UserAtTheLimitGetsEmfile) {
  OpenFileLimit limit;
  EXPECT_EQ(opened_by(user, limit), OpenFileLimit::most_of_a_user);
  EXPECT_EQ(limit.take(user), EMFILE);
}

TEST(OpenFileLimit, RootMayOpenMoreAndNotWithoutEnd) {
  OpenFileLimit limit;
  EXPECT_EQ(opened_by(root, limit), OpenFileLimit::most_of_root);
  EXPECT_EQ(limit.take(root), EMFILE);
}

TEST(OpenFileLimit, UserAtTheLimitLeavesOthersTheirFiles) {
  OpenFileLimit limit;
  static_cast<void>(opened_by(user, limit));
  EXPECT_EQ(limit.take(user + 1), 0);
  EXPECT_EQ(limit.take(root), 0);
}

TEST(OpenFileLimit, ClosedFileMakesRoomForOne) {
  OpenFileLimit limit;
  static_cast<void>(opened_by(user, limit));
  limit.release(user);
  EXPECT_EQ(limit.take(user), 0);
  EXPECT_EQ(limit.take(user), EMFILE);
}
