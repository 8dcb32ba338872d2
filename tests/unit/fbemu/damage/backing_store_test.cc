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

TEST(BackingStore, HasItsSizeRoundedUpToAPage) {
  EXPECT_EQ(BackingStore(1).size_bytes(), 4096U);
  EXPECT_EQ(BackingStore(4096).size_bytes(), 4096U);
  EXPECT_EQ(BackingStore(4097).size_bytes(), 8192U);
}

TEST(BackingStore, IsZeroedAtTheStart) {
  const BackingStore shadow(8192);
  std::vector<std::byte> bytes(8192, std::byte{1});
  shadow.load(0, bytes);
  EXPECT_EQ(bytes, std::vector<std::byte>(8192));
}

TEST(BackingStore, LoadsWhatWasStored) {
  BackingStore shadow(8192);
  const auto stored = unit::noise(5000, 7);
  shadow.store(1234, stored);
  std::vector<std::byte> loaded(5000);
  shadow.load(1234, loaded);
  EXPECT_EQ(loaded, stored);
}

TEST(BackingStore, AStoreTouchesItsBytesOnly) {
  BackingStore shadow(4096);
  shadow.store(10, std::vector<std::byte>(3, std::byte{0xff}));
  std::array<std::byte, 5> around{};
  shadow.load(9, around);
  EXPECT_EQ(around,
            (std::array{std::byte{0}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0}}));
}

TEST(BackingStore, TheLastByteCanBeStored) {
  BackingStore shadow(4096);
  const std::byte last{0x5a};
  shadow.store(4095, {&last, 1});
  std::byte loaded{};
  shadow.load(4095, {&loaded, 1});
  EXPECT_EQ(loaded, last);
}

TEST(BackingStore, WithBytesSeesAllOfIt) {
  BackingStore shadow(4096);
  const auto stored = unit::noise(4096, 3);
  shadow.store(0, stored);
  bool same = false;
  shadow.with_bytes([&](std::span<const std::byte> bytes) { same = std::ranges::equal(bytes, stored); });
  EXPECT_TRUE(same);
}

TEST(BackingStore, IsAFileThatAnotherProcessCouldMap) {
  BackingStore shadow(4096);
  const std::byte value{0x21};
  shadow.store(100, {&value, 1});
  struct stat status {};
  ASSERT_EQ(::fstat(shadow.descriptor(), &status), 0);
  EXPECT_EQ(status.st_size, 4096);
  std::byte read{};
  ASSERT_EQ(::pread(shadow.descriptor(), &read, 1, 100), 1);
  EXPECT_EQ(read, value);
  EXPECT_NE(::fcntl(shadow.descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(BackingStore, ThatCannotBeHadSaysHowMuchWasAskedFor) {
  constexpr uint64_t too_much = uint64_t{1} << 62;
  try {
    const BackingStore shadow(too_much);
    FAIL() << "4 EiB were had";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("4611686018427387904 bytes"), std::string::npos) << error.what();
  }
}

TEST(BackingStore, AStoreIsNeverSeenHalfDone) {
  BackingStore shadow(4096);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (unsigned round = 1; round <= 300; ++round) {
      shadow.store(0, std::vector<std::byte>(4096, static_cast<std::byte>(round)));
    }
    done = true;
  });
  bool torn = false;
  while (!done) {
    shadow.with_bytes([&](std::span<const std::byte> bytes) {
      torn = torn || std::ranges::any_of(bytes, [&](std::byte byte) { return byte != bytes[0]; });
    });
  }
  writer.join();
  EXPECT_FALSE(torn);
}
