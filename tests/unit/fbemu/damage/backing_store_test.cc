#include "fbemu/damage/backing_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/reference_pixels.h"

using fbemu::BackingStore;

TEST(BackingStore, SizeIsRoundedUpToPage) {
  EXPECT_EQ(BackingStore(1).size_bytes(), 4096U);
  EXPECT_EQ(BackingStore(4096).size_bytes(), 4096U);
  EXPECT_EQ(BackingStore(4097).size_bytes(), 8192U);
}

TEST(BackingStore, ContentsAtStartAreZero) {
  const BackingStore store(8192);
  std::vector<std::byte> bytes(8192, std::byte{1});
  store.load(0, bytes);
  EXPECT_EQ(bytes, std::vector<std::byte>(8192));
}

TEST(BackingStore, LoadReturnsStoredBytes) {
  BackingStore store(8192);
  const auto stored = unit::noise(5000, 7);
  store.store(1234, stored);
  std::vector<std::byte> loaded(5000);
  store.load(1234, loaded);
  EXPECT_EQ(loaded, stored);
}

// UndefinedBehaviorSanitizer reports a copy without an address.
TEST(BackingStore, EmptyAccessBeyondEndDoesNothing) {
  BackingStore store(4096);
  constexpr uint64_t far_beyond_end = 0x8000'0000'0000'0000;
  store.load(far_beyond_end, {});
  store.store(far_beyond_end, {});
  EXPECT_EQ(store.size_bytes(), 4096U);
}

TEST(BackingStore, StoreChangesItsRangeOnly) {
  BackingStore store(4096);
  store.store(10, std::vector<std::byte>(3, std::byte{0xff}));
  std::array<std::byte, 5> around{};
  store.load(9, around);
  EXPECT_EQ(around,
            (std::array{std::byte{0}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0}}));
}

TEST(BackingStore, LastByteCanBeStored) {
  BackingStore store(4096);
  const std::byte last{0x5a};
  store.store(4095, {&last, 1});
  std::byte loaded{};
  store.load(4095, {&loaded, 1});
  EXPECT_EQ(loaded, last);
}

TEST(BackingStore, WithBytesPassesWholeMemory) {
  BackingStore store(4096);
  const auto stored = unit::noise(4096, 3);
  store.store(0, stored);
  bool same = false;
  store.with_bytes([&](std::span<const std::byte> bytes) { same = std::ranges::equal(bytes, stored); });
  EXPECT_TRUE(same);
}

TEST(BackingStore, DescriptorIsMemfdWithContents) {
  BackingStore store(4096);
  const std::byte value{0x21};
  store.store(100, {&value, 1});
  struct stat status {};
  ASSERT_EQ(::fstat(store.descriptor(), &status), 0);
  EXPECT_EQ(status.st_size, 4096);
  std::byte read{};
  ASSERT_EQ(::pread(store.descriptor(), &read, 1, 100), 1);
  EXPECT_EQ(read, value);
  EXPECT_NE(::fcntl(store.descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(BackingStore, FailedAllocationThrowsWithSize) {
  constexpr uint64_t too_much = uint64_t{1} << 62;
  try {
    const BackingStore store(too_much);
    FAIL() << "4 EiB were allocated";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("4611686018427387904 bytes"), std::string::npos) << error.what();
  }
}

TEST(BackingStore, ConcurrentStoreIsAtomicForWithBytes) {
  BackingStore store(4096);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (unsigned round = 1; round <= 300; ++round) {
      store.store(0, std::vector<std::byte>(4096, static_cast<std::byte>(round)));
    }
    done = true;
  });
  bool torn = false;
  while (!done) {
    store.with_bytes([&](std::span<const std::byte> bytes) {
      torn = torn || std::ranges::any_of(bytes, [&](std::byte byte) { return byte != bytes[0]; });
    });
  }
  writer.join();
  EXPECT_FALSE(torn);
}
