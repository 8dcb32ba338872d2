#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "fbemu/framebuffer.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

constexpr uint64_t total = 24'576;

class FramebufferFiles : public unit::FramebufferFixture {
 protected:
  [[nodiscard]] std::vector<std::byte> read(uint64_t offset, size_t size) {
    std::vector<std::byte> bytes(framebuffer->readable(offset, size));
    framebuffer->read(offset, bytes);
    return bytes;
  }
  /// Returns the errno of a failed write, or 0.
  [[nodiscard]] int write_error(uint64_t offset, size_t size) {
    const auto written = framebuffer->write(offset, std::vector<std::byte>(size, std::byte{1}));
    return written ? 0 : written.error().value();
  }
};

}  // namespace

TEST_F(FramebufferFiles, ReadReturnsWrittenBytes) {
  start();
  const auto bytes = unit::noise(1000, 1);
  EXPECT_EQ(framebuffer->write(777, bytes).value_or(0), 1000U);
  EXPECT_EQ(read(777, 1000), bytes);
}

TEST_F(FramebufferFiles, MemoryAtStartIsZero) {
  start();
  EXPECT_EQ(read(0, total), std::vector<std::byte>(total));
}

TEST_F(FramebufferFiles, ReadableAtEndIsTruncated) {
  start();
  EXPECT_EQ(framebuffer->readable(0, total + 1), total);
  EXPECT_EQ(framebuffer->readable(total - 1, 100), 1U);
  EXPECT_EQ(framebuffer->readable(total, 1), 0U);
  EXPECT_EQ(framebuffer->readable(total + 1, 1), 0U);
  EXPECT_EQ(framebuffer->readable(0xffff'ffff'ffff'ffff, 1), 0U);
  EXPECT_EQ(framebuffer->readable(5, 0), 0U);
}

TEST_F(FramebufferFiles, WriteAcrossEndIsShort) {
  start();
  const auto bytes = unit::noise(100, 2);
  EXPECT_EQ(framebuffer->write(total - 10, bytes).value_or(0), 10U);
  EXPECT_EQ(read(total - 10, 100), (std::vector<std::byte>(bytes.begin(), bytes.begin() + 10)));
}

TEST_F(FramebufferFiles, WriteAtEndReturnsEnospc) {
  start();
  EXPECT_EQ(write_error(total, 1), ENOSPC);
  EXPECT_EQ(write_error(total, total), ENOSPC);
}

TEST_F(FramebufferFiles, WriteAtEndLargerThanMemoryReturnsEfbig) {
  start();
  EXPECT_EQ(write_error(total, total + 1), EFBIG);
}

TEST_F(FramebufferFiles, WriteBeyondEndReturnsEfbig) {
  start();
  EXPECT_EQ(write_error(total + 1, 1), EFBIG);
  EXPECT_EQ(write_error(0xffff'ffff'ffff'ffff, 1), EFBIG);
}

TEST_F(FramebufferFiles, EmptyWriteReturnsZeroUpToEndAndEfbigBeyond) {
  start();
  EXPECT_EQ(framebuffer->write(0, {}).value_or(99), 0U);
  EXPECT_EQ(framebuffer->write(total, {}).value_or(99), 0U);
  EXPECT_EQ(write_error(total + 1, 0), EFBIG);
}

TEST_F(FramebufferFiles, WriteWithoutOpenFileIsShown) {
  start();
  write_pixel(7, 3, 0x345678);
  EXPECT_EQ(shown(7, 3), 0x345678U);
}

TEST_F(FramebufferFiles, UnalignedWriteChangesPixelsTouched) {
  start();
  pages->store(4, std::vector<std::byte>(2, std::byte{0xff}));
  ASSERT_TRUE(framebuffer->write(4, std::vector<std::byte>(2, std::byte{0xff})).has_value());
  EXPECT_EQ(shown(1, 0), 0x00ffffU);
  EXPECT_EQ(shown(2, 0), 0U);
}

TEST_F(FramebufferFiles, WrittenBackPageIsStoredAndShown) {
  start();
  const uint32_t pixel = 0x0000ff;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  pages->write_all_back();
  EXPECT_EQ(shown(0, 0), 0x0000ffU);
  EXPECT_EQ(read(0, 4)[0], std::byte{0xff});
}

TEST_F(FramebufferFiles, WriteBackBeyondEndIsDropped) {
  start();
  framebuffer->write_back(total, std::vector<std::byte>(4096, std::byte{1}));
  framebuffer->write_back(total - 2, std::vector<std::byte>(4096, std::byte{1}));
  EXPECT_EQ(read(total - 3, 10), (std::vector<std::byte>{std::byte{0}, std::byte{1}, std::byte{1}}));
}

TEST_F(FramebufferFiles, RequestsAndBytesAreCounted) {
  start();
  static_cast<void>(framebuffer->write(0, std::vector<std::byte>(100)));
  static_cast<void>(framebuffer->write(total - 1, std::vector<std::byte>(100)));
  static_cast<void>(framebuffer->write(total, std::vector<std::byte>(100)));
  framebuffer->write_back(0, std::vector<std::byte>(4096));
  static_cast<void>(read(0, 10));
  EXPECT_EQ(framebuffer->statistics().writes, 3U);
  EXPECT_EQ(framebuffer->statistics().write_backs, 1U);
  EXPECT_EQ(framebuffer->statistics().reads, 1U);
  EXPECT_EQ(framebuffer->statistics().changed_bytes, 100U + 1U + 4096U);
}

TEST_F(FramebufferFiles, OpenFilesAndWritersAreCounted) {
  start();
  ASSERT_TRUE(framebuffer->open(false));
  ASSERT_TRUE(framebuffer->open(true));
  EXPECT_EQ(framebuffer->status().open_files, 2U);
  EXPECT_EQ(framebuffer->status().open_writers, 1U);
  framebuffer->close(true);
  framebuffer->close(false);
  EXPECT_EQ(framebuffer->status().open_files, 0U);
  EXPECT_EQ(framebuffer->status().open_writers, 0U);
}

TEST_F(FramebufferFiles, OpenBeyondUserLimitReturnsEmfileAndIsNotCounted) {
  start();
  constexpr uint32_t user = 1000;
  const fbemu::Opener reader(false, nullptr, user);
  for (unsigned i = 0; i < fbemu::OpenFileLimit::most_of_a_user; ++i) ASSERT_TRUE(framebuffer->open(reader));
  EXPECT_EQ(unit::error_of(framebuffer->open(reader)), EMFILE);
  EXPECT_EQ(unit::error_of(framebuffer->open({true, nullptr, user})), EMFILE);
  EXPECT_EQ(framebuffer->status().open_files, fbemu::OpenFileLimit::most_of_a_user);
  EXPECT_EQ(framebuffer->status().open_writers, 0U);
  EXPECT_TRUE(framebuffer->open({true, nullptr, user + 1})) << "another user";
  framebuffer->close(reader);
  EXPECT_TRUE(framebuffer->open({true, nullptr, user}));
}

TEST_F(FramebufferFiles, ReaderCausesNoTicks) {
  start();
  ASSERT_TRUE(framebuffer->open(false));
  static_cast<void>(framebuffer->capture());
  EXPECT_FALSE(card->wants_vblank());
  EXPECT_EQ(framebuffer->statistics().ticks, 0U);
}

TEST_F(FramebufferFiles, WriterCausesTicksUntilClose) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  EXPECT_TRUE(unit::eventually([&] { return framebuffer->statistics().ticks > 10; }));
  framebuffer->close(true);
  EXPECT_TRUE(unit::eventually([&] { return !card->wants_vblank(); }));
  static_cast<void>(framebuffer->capture());
  const uint64_t ticks = framebuffer->statistics().ticks;
  static_cast<void>(framebuffer->capture());
  EXPECT_EQ(framebuffer->statistics().ticks, ticks);
}

TEST_F(FramebufferFiles, FlushWithoutDamageReturnsFalse) {
  start();
  static_cast<void>(framebuffer->capture());
  EXPECT_TRUE(
      unit::eventually([&] { return !framebuffer->flush([](const auto&) { FAIL() << "called back"; }); }));
}

TEST_F(FramebufferFiles, FlushWithDamageCallsBackAfterPresent) {
  start(unit::SteppedCard::Vblanks::stepped);
  write_pixel(9, 9, 0x919191);
  std::promise<uint32_t> seen;
  ASSERT_TRUE(
      framebuffer->flush([&](const auto&) { seen.set_value(card->output().capture()->pixels[9 * 64 + 9]); }));
  EXPECT_EQ(seen.get_future().get(), 0x919191U);
}

TEST_F(FramebufferFiles, LastCloseShowsWrittenBackPages) {
  start(unit::SteppedCard::Vblanks::stepped);
  ASSERT_TRUE(framebuffer->open(true));
  const uint32_t pixel = 0x5a5a5a;
  pages->draw(0, std::as_bytes(std::span(&pixel, 1)));
  pages->write_all_back();
  framebuffer->close(true);
  EXPECT_TRUE(unit::eventually([&] { return framebuffer->statistics().presents > 0; }));
  EXPECT_EQ(shown(0, 0), 0x5a5a5aU);
}

TEST_F(FramebufferFiles, CloseKeepsPictureAndState) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  ASSERT_EQ(pan(0, 5), 0);
  write_pixel(1, 6, 0x0badca);
  framebuffer->close(true);
  ASSERT_TRUE(framebuffer->open(true));
  EXPECT_EQ(get_var().yoffset, 5U);
  EXPECT_EQ(shown(1, 1), 0x0badcaU);
  framebuffer->close(true);
}

TEST_F(FramebufferFiles, ReadAndWriteAfterStopSucceed) {
  start();
  stop();
  EXPECT_EQ(framebuffer->write(0, std::vector<std::byte>(4, std::byte{9})).value_or(0), 4U);
  EXPECT_EQ(read(0, 1)[0], std::byte{9});
  EXPECT_EQ(framebuffer->capture().error().value(), ESHUTDOWN);
}
