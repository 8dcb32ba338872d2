#include "cuse/session/fuse_pages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/memory_map.h"

#include "tests/support/reference_pixels.h"
#include "tests/support/temporary_folder.h"

using base::UniqueFd;
using cuse::FusePages;

namespace {

/// A plain file in place of the served file; the same calls access its page cache.
class FusePagesTest : public testing::Test {
 protected:
  FusePagesTest() {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] FusePages open() const {
    return FusePages(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  }

  std::vector<std::byte> bytes = unit::noise(16'384, 1);
  unit::TemporaryFolder folder;
  std::string path = folder.file("fb");
};

}  // namespace

TEST_F(FusePagesTest, ReadAtOffsetFillsPartsInOrder) {
  FusePages pages = open();
  std::array<std::byte, 10> first{};
  std::array<std::byte, 4000> second{};
  const std::array parts{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
  ASSERT_TRUE(pages.read(5000, parts).has_value());
  EXPECT_TRUE(std::equal(first.begin(), first.end(), bytes.begin() + 5000));
  EXPECT_TRUE(std::equal(second.begin(), second.end(), bytes.begin() + 5010));
}

TEST_F(FusePagesTest, ShortReadReturnsEio) {
  FusePages pages = open();
  std::array<std::byte, 100> part{};
  const iovec into{part.data(), part.size()};
  EXPECT_EQ(pages.read(16'384 - 50, {&into, 1}).error().value(), EIO);
  EXPECT_EQ(pages.read(20'000, {&into, 1}).error().value(), EIO);
}

TEST_F(FusePagesTest, FailedReadReturnsItsErrno) {
  FusePages pages((UniqueFd()));
  std::array<std::byte, 1> part{};
  const iovec into{part.data(), part.size()};
  EXPECT_EQ(pages.read(0, {&into, 1}).error().value(), EBADF);
}

TEST_F(FusePagesTest, CleanOfFileOpenForReadingSucceeds) {
  FusePages pages = open();
  EXPECT_TRUE(pages.clean({0, 16'384}).has_value());
  EXPECT_TRUE(pages.clean({4096, 8192}).has_value());
}

TEST_F(FusePagesTest, FailedCleanReturnsItsErrno) {
  FusePages pages((UniqueFd()));
  EXPECT_EQ(pages.clean({0, 4096}).error().value(), EBADF);
}

TEST_F(FusePagesTest, ReadSeesStoreThroughMapping) {
  FusePages pages = open();
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const auto map = base::MemoryMap::map(file.get(), bytes.size(), PROT_READ | PROT_WRITE);
  ASSERT_TRUE(map.has_value());
  map->bytes()[9000] = ~bytes[9000];
  std::byte read{};
  const iovec into{&read, 1};
  ASSERT_TRUE(pages.read(9000, {&into, 1}).has_value());
  EXPECT_EQ(read, ~bytes[9000]);
}

TEST_F(FusePagesTest, PrefetchBeyondEndOfFileIsHarmless) {
  FusePages pages = open();
  pages.prefetch(16'384);
  pages.prefetch(5'000'000);
}

TEST_F(FusePagesTest, ClearZeroesOnlyTheBytesAskedFor) {
  bytes = unit::noise(size_t{3} << 20, 2);
  ASSERT_EQ(::truncate(path.c_str(), 0), 0);
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const auto map = base::MemoryMap::map(file.get(), bytes.size(), PROT_READ);
  ASSERT_TRUE(map.has_value());
  FusePages pages(std::move(file));
  const size_t cleared = bytes.size() - 8192;
  ASSERT_TRUE(pages.clear(cleared).has_value());
  std::fill_n(bytes.begin(), cleared, std::byte{0});
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), map->bytes().begin()));
}

TEST_F(FusePagesTest, FailedClearReturnsItsErrno) {
  FusePages pages = open();
  EXPECT_EQ(pages.clear(4096).error().value(), EBADF) << "open for reading only";
}
