#include "base/memory_map.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <type_traits>
#include <utility>

#include "base/unique_fd.h"
#include "tests/support/memory_probe.h"

using base::MemoryMap;
using base::UniqueFd;
using unit::is_readable;

namespace {

constexpr size_t page = 4096;

UniqueFd make_memory(size_t bytes) {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
  return fd;
}

MemoryMap map_all(const UniqueFd& fd, size_t bytes, off_t offset = 0) {
  auto map = MemoryMap::map(fd.get(), bytes, PROT_READ | PROT_WRITE, offset);
  EXPECT_TRUE(map.has_value());
  return std::move(*map);
}

}  // namespace

static_assert(!std::is_copy_constructible_v<MemoryMap> && !std::is_copy_assignable_v<MemoryMap>);

TEST(MemoryMap, DefaultConstructedOwnsNothing) {
  const MemoryMap map;
  EXPECT_FALSE(map);
  EXPECT_EQ(map.data(), nullptr);
  EXPECT_EQ(map.size(), 0U);
  EXPECT_TRUE(map.bytes().empty());
}

TEST(MemoryMap, WriteReachesFile) {
  const UniqueFd fd = make_memory(page);
  const MemoryMap map = map_all(fd, page);
  ASSERT_EQ(map.bytes().size(), page);
  map.bytes()[17] = std::byte{0x5a};
  std::array<unsigned char, 1> read{};
  ASSERT_EQ(::pread(fd.get(), read.data(), 1, 17), 1);
  EXPECT_EQ(read[0], 0x5a);
}

TEST(MemoryMap, MappingStartsAtOffset) {
  const UniqueFd fd = make_memory(2 * page);
  const unsigned char value = 0x77;
  ASSERT_EQ(::pwrite(fd.get(), &value, 1, page), 1);
  const MemoryMap map = map_all(fd, page, page);
  EXPECT_EQ(map.bytes()[0], std::byte{0x77});
}

TEST(MemoryMap, FailedMmapGivesItsErrno) {
  const auto map = MemoryMap::map(-1, page, PROT_READ);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().value(), EBADF);
  const UniqueFd fd = make_memory(page);
  const auto nothing = MemoryMap::map(fd.get(), 0, PROT_READ);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().value(), EINVAL);
}

TEST(MemoryMap, DestructorUnmaps) {
  const UniqueFd fd = make_memory(page);
  const std::byte* address = nullptr;
  {
    const MemoryMap map = map_all(fd, page);
    address = map.data();
    ASSERT_TRUE(is_readable(address));
  }
  EXPECT_FALSE(is_readable(address));
}

TEST(MemoryMap, MoveKeepsAddressAndEmptiesSource) {
  const UniqueFd fd = make_memory(page);
  MemoryMap from = map_all(fd, page);
  const std::byte* address = from.data();
  const MemoryMap to(std::move(from));
  EXPECT_EQ(to.data(), address);
  EXPECT_EQ(to.size(), page);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(is_readable(address));
}

TEST(MemoryMap, MoveAssignmentUnmapsPreviousMapping) {
  const UniqueFd fd = make_memory(page);
  MemoryMap target = map_all(fd, page);
  const std::byte* old_address = target.data();
  MemoryMap other = map_all(fd, page);
  target = std::move(other);
  EXPECT_FALSE(is_readable(old_address));
  EXPECT_TRUE(is_readable(target.data()));
}

TEST(MemoryMap, SelfMoveAssignmentKeepsMapping) {
  const UniqueFd fd = make_memory(page);
  MemoryMap map = map_all(fd, page);
  MemoryMap& same = map;
  map = std::move(same);
  ASSERT_TRUE(map);
  EXPECT_TRUE(is_readable(map.data()));
}

TEST(MemoryMap, ResetUnmaps) {
  const UniqueFd fd = make_memory(page);
  MemoryMap map = map_all(fd, page);
  const std::byte* address = map.data();
  map.reset();
  EXPECT_FALSE(map);
  EXPECT_EQ(map.size(), 0U);
  EXPECT_FALSE(is_readable(address));
}
