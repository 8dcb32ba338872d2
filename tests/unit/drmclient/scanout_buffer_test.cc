#include "drmclient/scanout_buffer.h"

#include <gtest/gtest.h>

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

using base::failure;
using base::Result;
using drmclient::Access;
using drmclient::AccessMode;
using drmclient::PixelFormat;
using drmclient::ScanoutBuffer;

namespace {

/// A buffer of 4x3 pixels with lines of 20 bytes that counts how often its mapping begins and ends.
class CountingBuffer final : public ScanoutBuffer {
 public:
  CountingBuffer() : ScanoutBuffer({4, 3}, PixelFormat::xrgb8888, 20), memory_(60) {}
  void unmap() override { unmapped_during_access = in_access(); }

  int begun = 0;
  int ended = 0;
  int begin_error = 0;
  int end_error = 0;
  bool unmapped_during_access = false;
  std::optional<AccessMode> begin_mode;
  std::optional<AccessMode> end_mode;
  std::byte* memory() { return memory_.data(); }

 private:
  Result<std::byte*> begin_mapping(AccessMode mode) override {
    if (begin_error != 0) return failure(begin_error);
    ++begun;
    begin_mode = mode;
    return memory_.data();
  }
  Result<void> end_mapping(AccessMode mode) override {
    ++ended;
    end_mode = mode;
    if (end_error != 0) return failure(end_error);
    return {};
  }
  std::vector<std::byte> memory_;
};

}  // namespace

static_assert(!std::is_copy_constructible_v<Access> && !std::is_move_assignable_v<Access>);
static_assert(!std::is_copy_constructible_v<ScanoutBuffer>);

TEST(ScanoutBuffer, BufferReportsSizeFormatAndPitch) {
  const CountingBuffer buffer;
  EXPECT_EQ(buffer.size(), (drmclient::Size{4, 3}));
  EXPECT_EQ(buffer.format(), PixelFormat::xrgb8888);
  EXPECT_EQ(buffer.pitch_bytes(), 20U);
}

TEST(ScanoutBuffer, AccessStartsAtFirstLine) {
  CountingBuffer buffer;
  const auto access = buffer.begin_access(AccessMode::write);
  ASSERT_TRUE(access.has_value());
  EXPECT_EQ(access->data(), buffer.memory());
}

TEST(ScanoutBuffer, RowsArePitchApartAndExcludePadding) {
  CountingBuffer buffer;
  const auto access = buffer.begin_access(AccessMode::read);
  EXPECT_EQ(access->row(0).data(), buffer.memory());
  EXPECT_EQ(access->row(2).data(), buffer.memory() + 40);
  EXPECT_EQ(access->row(2).size(), 16U);
}

TEST(ScanoutBuffer, NestedAccessReturnsEbusy) {
  CountingBuffer buffer;
  const auto first = buffer.begin_access(AccessMode::read);
  const auto second = buffer.begin_access(AccessMode::read);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().value(), EBUSY);
  EXPECT_EQ(buffer.begun, 1);
  EXPECT_EQ(buffer.ended, 0);
}

TEST(ScanoutBuffer, SecondAccessAfterEndSucceeds) {
  CountingBuffer buffer;
  {
    const auto access = buffer.begin_access(AccessMode::read);
    ASSERT_TRUE(access.has_value());
  }
  EXPECT_EQ(buffer.ended, 1);
  EXPECT_TRUE(buffer.begin_access(AccessMode::write).has_value());
}

TEST(ScanoutBuffer, FailedAccessLeavesBufferFree) {
  CountingBuffer buffer;
  buffer.begin_error = ENOMEM;
  const auto refused = buffer.begin_access(AccessMode::write);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().value(), ENOMEM);
  buffer.begin_error = 0;
  EXPECT_TRUE(buffer.begin_access(AccessMode::write).has_value());
}

TEST(ScanoutBuffer, MappingReceivesAccessMode) {
  CountingBuffer buffer;
  { const auto access = buffer.begin_access(AccessMode::read_write); }
  EXPECT_EQ(buffer.begin_mode, AccessMode::read_write);
  EXPECT_EQ(buffer.end_mode, AccessMode::read_write);
}

TEST(ScanoutBuffer, UnmapSeesAccessInProgress) {
  CountingBuffer buffer;
  {
    const auto access = buffer.begin_access(AccessMode::read);
    buffer.unmap();
    EXPECT_TRUE(buffer.unmapped_during_access);
  }
  buffer.unmap();
  EXPECT_FALSE(buffer.unmapped_during_access);
}

TEST(Access, EndReturnsDriverError) {
  CountingBuffer buffer;
  auto access = buffer.begin_access(AccessMode::write);
  buffer.end_error = EIO;
  const auto ended = access->end();
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().value(), EIO);
}

TEST(Access, SecondEndDoesNothing) {
  CountingBuffer buffer;
  auto access = buffer.begin_access(AccessMode::write);
  EXPECT_TRUE(access->end().has_value());
  buffer.end_error = EIO;
  EXPECT_TRUE(access->end().has_value());
  EXPECT_EQ(buffer.ended, 1);
}

TEST(Access, DestructionAfterEndKeepsNextAccess) {
  CountingBuffer buffer;
  std::optional<Access> first(std::move(*buffer.begin_access(AccessMode::read)));
  EXPECT_TRUE(first->end().has_value());
  const auto second = buffer.begin_access(AccessMode::read);
  first.reset();
  EXPECT_EQ(buffer.ended, 1);
  EXPECT_EQ(buffer.begin_access(AccessMode::read).error().value(), EBUSY);
}

TEST(Access, MovedAccessEndsOnce) {
  CountingBuffer buffer;
  {
    auto access = buffer.begin_access(AccessMode::write);
    Access moved(std::move(*access));
    EXPECT_EQ(moved.data(), buffer.memory());
    EXPECT_TRUE(access->end().has_value());
    EXPECT_EQ(buffer.ended, 0) << "the end of the moved-from access has no effect";
    EXPECT_EQ(buffer.begin_access(AccessMode::read).error().value(), EBUSY);
  }
  EXPECT_EQ(buffer.ended, 1);
}
