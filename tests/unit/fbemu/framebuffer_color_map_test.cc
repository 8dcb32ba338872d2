#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>

#include "fbemu/framebuffer.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

struct Map64 {
  uint32_t start;
  uint32_t len;
  std::array<uint64_t, 4> channels;
};
struct Map32 {
  uint32_t start;
  uint32_t len;
  std::array<uint32_t, 4> channels;
};

class FramebufferColorMap : public unit::FramebufferFixture {
 protected:
  [[nodiscard]] int get_map(uint32_t start, uint32_t len, uint64_t transp = 0) {
    memory->put(map_at, Map64{start, len, {red_at, green_at, blue_at, transp}});
    return call(FBIOGETCMAP, map_at);
  }
  [[nodiscard]] int put_map(uint32_t start, uint32_t len, uint64_t transp = 0) {
    memory->put(map_at, Map64{start, len, {red_at, green_at, blue_at, transp}});
    return call(FBIOPUTCMAP, map_at);
  }
  void put_entries(uint16_t first) {
    for (uint16_t i = 0; i < 16; ++i) {
      memory->put(red_at + i * 2U, static_cast<uint16_t>(first + i));
      memory->put(green_at + i * 2U, static_cast<uint16_t>(first + 100 + i));
      memory->put(blue_at + i * 2U, static_cast<uint16_t>(first + 200 + i));
    }
  }
};

}  // namespace

TEST_F(FramebufferColorMap, GetAtStartReturnsConsoleColours) {
  start();
  ASSERT_EQ(get_map(6, 2), 0);
  EXPECT_EQ(memory->get<uint16_t>(red_at), 0xaaaaU);
  EXPECT_EQ(memory->get<uint16_t>(green_at), 0x5555U);
  EXPECT_EQ(memory->get<uint16_t>(blue_at), 0x0000U);
  EXPECT_EQ(memory->get<uint16_t>(green_at + 2), 0xaaaaU);
  EXPECT_TRUE(memory->is_untouched(red_at + 4, 16));
}

TEST_F(FramebufferColorMap, GetBeyondLastEntryIsTruncated) {
  start();
  EXPECT_EQ(get_map(250, 1000), 0);
  EXPECT_EQ(memory->get<uint16_t>(red_at + 10), 0U);
  EXPECT_TRUE(memory->is_untouched(red_at + 12, 16));
  EXPECT_EQ(memory->get<uint32_t>(map_at + 4), 1000U) << "the caller's length is unchanged";
}

TEST_F(FramebufferColorMap, GetWithZeroLengthOrStartBeyondMapReturnsEinval) {
  start();
  EXPECT_EQ(get_map(0, 0), -EINVAL);
  EXPECT_EQ(get_map(256, 1), -EINVAL);
  EXPECT_EQ(get_map(0xffff'ffff, 1), -EINVAL);
  EXPECT_EQ(get_map(255, 1), 0);
}

TEST_F(FramebufferColorMap, GetNeverWritesTransparency) {
  start();
  EXPECT_EQ(get_map(0, 16, transp_at), 0);
  EXPECT_TRUE(memory->is_untouched(transp_at, 32));
  EXPECT_EQ(get_map(0, 16, nowhere), 0) << "nor accesses it";
}

TEST_F(FramebufferColorMap, GetAtBadAddressReturnsEfault) {
  start();
  EXPECT_EQ(call(FBIOGETCMAP, nowhere), -EFAULT);
  for (const uint64_t channel : {red_at, green_at, blue_at}) {
    memory = std::make_shared<unit::FakeUserMemory>();
    memory->make_hole(channel, channel + 1);
    EXPECT_EQ(get_map(0, 16), -EFAULT) << channel;
  }
}

TEST_F(FramebufferColorMap, GetReturnsEntriesOfPut) {
  start();
  put_entries(1000);
  ASSERT_EQ(put_map(0, 16), 0);
  put_entries(0);
  ASSERT_EQ(get_map(3, 1), 0);
  EXPECT_EQ(memory->get<uint16_t>(red_at), 1003U);
  EXPECT_EQ(memory->get<uint16_t>(green_at), 1103U);
  EXPECT_EQ(memory->get<uint16_t>(blue_at), 1203U);
}

TEST_F(FramebufferColorMap, PutKeepsOtherEntries) {
  start();
  put_entries(1000);
  ASSERT_EQ(put_map(15, 1), 0);
  ASSERT_EQ(get_map(14, 2), 0);
  EXPECT_EQ(memory->get<uint16_t>(red_at), 0xffffU);
  EXPECT_EQ(memory->get<uint16_t>(red_at + 2), 1000U);
}

TEST_F(FramebufferColorMap, PutAtTrueColourAcceptsWholeMap) {
  start();
  put_entries(0);
  EXPECT_EQ(put_map(0, 16), 0);
  EXPECT_EQ(put_map(0, 256), 0);
  EXPECT_EQ(put_map(255, 1), 0);
  EXPECT_EQ(put_map(0, 257), -EINVAL);
  EXPECT_EQ(put_map(1, 256), -EINVAL);
  EXPECT_EQ(put_map(256, 1), -EINVAL);
}

TEST_F(FramebufferColorMap, PutAtEightBitsChangesColoursShown) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_EQ(change_var([](auto& var) { var.bits_per_pixel = 8; }), 0);
  const std::array<std::byte, 1> index{std::byte{200}};
  pages->store(3, index);
  ASSERT_EQ(framebuffer->write(3, index).value_or(0), 1U);
  EXPECT_EQ(shown(3, 0), 0U) << "the map is black after the 16 console colours";
  put_entries(0x1200);
  ASSERT_EQ(put_map(200, 1), 0);
  ASSERT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
  EXPECT_EQ(shown(3, 0), 0x121212U);
}

TEST_F(FramebufferColorMap, DirectColourStartsWithRampAndAppliesPut) {
  options.direct_color = true;
  start();
  ASSERT_TRUE(framebuffer->open(true));
  write_pixel(5, 5, 0x123456);
  EXPECT_EQ(shown(5, 5), 0x123456U);
  put_entries(0xaa00);
  ASSERT_EQ(put_map(0x12, 1), 0);
  ASSERT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
  EXPECT_EQ(shown(5, 5), 0xaa3456U);
}

TEST_F(FramebufferColorMap, PutChecksInKernelOrder) {
  start();
  EXPECT_EQ(call(FBIOPUTCMAP, nowhere), -EFAULT);
  EXPECT_EQ(put_map(0xffff'ffff, 0x4000'0000), -E2BIG);
  EXPECT_EQ(put_map(0xffff'ffff, 0xffff'ffff), -E2BIG);
  EXPECT_EQ(put_map(0xffff'ffff, 0), -EINVAL);
  EXPECT_EQ(put_map(0xffff'ffff, 0x3fff'ffff), -ENOMEM);
  memory->make_hole(blue_at, blue_at + 1);
  EXPECT_EQ(put_map(0xffff'ffff, 1), -EFAULT) << "unreadable entries are reported before a bad start";
}

TEST_F(FramebufferColorMap, PutWithStartOf31BitsOrMoreReturnsEinval) {
  start();
  EXPECT_EQ(put_map(0x8000'0000, 1), -EINVAL);
  EXPECT_EQ(put_map(0x7fff'ffff, 1), -EINVAL);
}

TEST_F(FramebufferColorMap, PutReadsTransparencyUnlessNull) {
  start();
  EXPECT_EQ(put_map(0, 16, transp_at), 0);
  EXPECT_EQ(put_map(0, 16, nowhere), -EFAULT);
}

TEST_F(FramebufferColorMap, PutOfLongestMapProbesAllBytesInSmallPieces) {
  start();
  constexpr uint32_t longest = 2 * 1024 * 1024;
  constexpr uint64_t map_bytes = longest * 2;
  constexpr size_t few = 64 * 1024;
  memory = std::make_shared<unit::FakeUserMemory>(blue_at + map_bytes);
  EXPECT_EQ(put_map(0, longest), -EINVAL) << "longer than the map, but readable";
  EXPECT_LE(memory->largest_read, few);
  memory->make_hole(blue_at + map_bytes - 1, blue_at + map_bytes);
  EXPECT_EQ(put_map(0, longest), -EFAULT) << "the last byte cannot be read";
  EXPECT_LE(memory->largest_read, few);
}

TEST_F(FramebufferColorMap, PutWithHoleAfterLastMapEntryReturnsEfault) {
  start();
  memory->make_hole(green_at + 512, green_at + 513);
  EXPECT_EQ(put_map(0, 257), -EFAULT);
  EXPECT_EQ(put_map(0, 256), 0);
}

TEST_F(FramebufferColorMap, RejectedPutKeepsMap) {
  start();
  put_entries(1000);
  EXPECT_EQ(put_map(8, 249), -EINVAL);
  ASSERT_EQ(get_map(8, 1), 0);
  EXPECT_EQ(memory->get<uint16_t>(red_at), 0x5555U);
}

TEST_F(FramebufferColorMap, PutAndGetWith32BitAbiUseCompatStructure) {
  start();
  abi = fbemu::Abi::ilp32;
  put_entries(500);
  memory->put(map_at, Map32{2,
                            1,
                            {static_cast<uint32_t>(red_at), static_cast<uint32_t>(green_at),
                             static_cast<uint32_t>(blue_at), 0}});
  ASSERT_EQ(call(FBIOPUTCMAP, map_at), 0);
  put_entries(0);
  ASSERT_EQ(call(FBIOGETCMAP, map_at), 0);
  EXPECT_EQ(memory->get<uint16_t>(red_at), 500U);
  EXPECT_EQ(memory->get<uint16_t>(blue_at), 700U);
}

TEST_F(FramebufferColorMap, PutAtTrueColourKeepsPicture) {
  start();
  write_pixel(1, 1, 0x010203);
  put_entries(0x7777);
  ASSERT_EQ(put_map(0, 16), 0);
  EXPECT_EQ(shown(1, 1), 0x010203U);
}

namespace {

/// A reference implementation of fbcmap.c: the result of each call, and the entries afterwards.
class ReferenceColorMap {
 public:
  int put(uint32_t start, uint32_t len, const std::array<std::array<uint16_t, 256>, 3>& values) {
    constexpr uint32_t longest_readable = 512;  // the end of the test's memory
    if (len >= 1U << 30) return -E2BIG;
    if (len == 0) return -EINVAL;
    if (len > 2U * 1024 * 1024) return -ENOMEM;
    if (len > longest_readable) return -EFAULT;
    if (start >= 1U << 31 || start + len > 256) return -EINVAL;
    for (size_t channel = 0; channel < 3; ++channel) {
      for (uint32_t i = 0; i < len; ++i) entries[channel].at(start + i) = values[channel].at(i);
    }
    return 0;
  }
  static int get(uint32_t start, uint32_t len) { return start >= 256 || len == 0 ? -EINVAL : 0; }

  std::array<std::array<uint16_t, 256>, 3> entries{};
};

uint32_t some_length() {
  return *rc::gen::oneOf(rc::gen::inRange(0U, 18U), rc::gen::inRange(240U, 260U),
                         rc::gen::element(512U, 5'000U, 2'097'152U, 2'097'153U, 0x3fff'ffffU, 0x4000'0000U,
                                          0x8000'0000U, 0xffff'ffffU));
}
uint32_t some_start() {
  return *rc::gen::oneOf(rc::gen::inRange(0U, 20U), rc::gen::inRange(236U, 260U),
                         rc::gen::element(0x7fff'ffffU, 0x8000'0000U, 0xffff'ffffU));
}

}  // namespace

RC_GTEST_FIXTURE_PROP(FramebufferColorMap, RandomCallsMatchReference, ()) {
  start();
  ReferenceColorMap reference;
  RC_ASSERT(get_map(0, 256) == 0);
  constexpr std::array addresses{red_at, green_at, blue_at};
  for (size_t channel = 0; channel < 3; ++channel) {
    reference.entries.at(channel) = memory->get<std::array<uint16_t, 256>>(addresses.at(channel));
  }
  const auto calls = *rc::gen::inRange(1, 12);
  for (int k = 0; k < calls; ++k) {
    std::array<std::array<uint16_t, 256>, 3> values{};
    const auto seed = *rc::gen::arbitrary<uint16_t>();
    for (size_t channel = 0; channel < 3; ++channel) {
      for (size_t i = 0; i < 256; ++i)
        values.at(channel).at(i) = static_cast<uint16_t>(seed + i * 7 + channel * 1000);
      memory->put(addresses.at(channel), values.at(channel));
    }
    const uint32_t first = some_start();
    const uint32_t len = some_length();
    RC_ASSERT(put_map(first, len) == reference.put(first, len, values));
    const uint32_t from = some_start();
    const uint32_t count = some_length();
    RC_ASSERT(get_map(from, count) == ReferenceColorMap::get(from, count));
    RC_ASSERT(get_map(0, 256) == 0);
    for (size_t channel = 0; channel < 3; ++channel) {
      RC_ASSERT((memory->get<std::array<uint16_t, 256>>(addresses.at(channel))) ==
                reference.entries.at(channel));
    }
  }
}
