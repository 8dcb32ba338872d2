// The memory is cleared after the last program has closed the framebuffer.

#include <gtest/gtest.h>

#include <future>
#include <numeric>
#include <vector>

#include "fbemu/framebuffer.h"
#include "tests/support/captured_log.h"
#include "tests/support/error_of.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

constexpr uint64_t total = 24'576;

class FramebufferClear : public unit::FramebufferFixture {
 protected:
  FramebufferClear() { options.clear_on_close = true; }

  void draw_mapped() {
    pages->draw(0, unit::noise(total, 1));
    pages->write_all_back();
  }
  [[nodiscard]] std::vector<std::byte> store() {
    std::vector<std::byte> bytes(total);
    framebuffer->read(0, bytes);
    return bytes;
  }
  /// Clears and waits for the result.
  [[nodiscard]] int clear() {
    std::promise<int> done;
    framebuffer->clear([&](const base::Result<void>& result) { done.set_value(unit::error_of(result)); });
    return done.get_future().get();
  }
  [[nodiscard]] bool is_clear() { return store() == zeros && pages->contents() == zeros; }

  const std::vector<std::byte> zeros = std::vector<std::byte>(total);
};

}  // namespace

TEST_F(FramebufferClear, LastCloseZeroesPagesAndStore) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_TRUE(framebuffer->open(false));
  draw_mapped();
  framebuffer->close(true);
  static_cast<void>(framebuffer->capture());
  EXPECT_FALSE(is_clear()) << "a program has it open";
  framebuffer->close(false);
  EXPECT_TRUE(unit::eventually([&] { return is_clear(); }));
  EXPECT_EQ(clear(), 0);
  EXPECT_TRUE(framebuffer->open(false));
}

TEST_F(FramebufferClear, DirtyPageAtLastCloseIsZeroed) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  draw_mapped();
  pages->draw(4096, unit::noise(100, 2));
  framebuffer->close(true);
  EXPECT_EQ(clear(), 0);
  pages->write_all_back();
  EXPECT_TRUE(is_clear());
}

TEST_F(FramebufferClear, WrittenPictureIsZeroedOnScreenToo) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  write_pixel(7, 3, 0x345678);
  EXPECT_EQ(shown(7, 3), 0x345678U);
  framebuffer->close(true);
  EXPECT_EQ(clear(), 0);
  EXPECT_EQ(shown(7, 3), 0U);
}

TEST_F(FramebufferClear, OpenBeforeTheClearIsDoneReturnsEagain) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  draw_mapped();
  std::promise<void> reached;
  std::promise<void> resume;
  pages->before_clear = [&] {
    reached.set_value();
    resume.get_future().wait();
  };
  framebuffer->close(true);
  ASSERT_EQ(reached.get_future().wait_for(unit::timeout), std::future_status::ready);
  EXPECT_EQ(unit::error_of(framebuffer->open(false)), EAGAIN);
  EXPECT_EQ(unit::error_of(framebuffer->open(true)), EAGAIN);
  EXPECT_EQ(framebuffer->status().open_files, 0U);
  resume.set_value();
  EXPECT_EQ(clear(), 0);
  EXPECT_TRUE(framebuffer->open(true));
}

TEST_F(FramebufferClear, LateRequestDoesNotZeroTheNextProgramsPixels) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  draw_mapped();
  framebuffer->close(true);
  EXPECT_EQ(clear(), 0);
  ASSERT_TRUE(framebuffer->open(true));
  write_pixel(1, 1, 0x112233);
  EXPECT_EQ(clear(), 0);
  EXPECT_EQ(shown(1, 1), 0x112233U);
  EXPECT_EQ(pages->clears, 1);
}

TEST_F(FramebufferClear, ProgramThatDrawsNothingCausesNoClear) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  framebuffer->close(true);
  EXPECT_EQ(clear(), 0);
  EXPECT_EQ(pages->clears, 0);
}

TEST_F(FramebufferClear, FailedClearRefusesOpensUntilItWorks) {
  const unit::CapturedLog log;
  start();
  ASSERT_TRUE(framebuffer->open(true));
  draw_mapped();
  pages->clear_error = ENOMEM;
  framebuffer->close(true);
  EXPECT_EQ(clear(), ENOMEM);
  EXPECT_EQ(clear(), ENOMEM);
  EXPECT_EQ(unit::error_of(framebuffer->open(false)), EAGAIN);
  EXPECT_EQ(log.count("cannot clear the framebuffer after its last user"), 1);
  pages->clear_error = 0;
  EXPECT_EQ(clear(), 0);
  EXPECT_TRUE(framebuffer->open(false));
  EXPECT_TRUE(is_clear());
  stop();
}

TEST_F(FramebufferClear, ClearWithoutPagesZeroesTheStore) {
  build();
  framebuffer->start(nullptr);
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_TRUE(framebuffer->write(0, unit::noise(total, 3)).has_value());
  framebuffer->close(true);
  EXPECT_EQ(clear(), 0);
  EXPECT_EQ(store(), zeros);
}

TEST_F(FramebufferClear, RequestsBeforeStartAndAfterStopAreCompleted) {
  build();
  ASSERT_TRUE(framebuffer->open(true));
  draw_mapped();
  framebuffer->close(true);
  std::promise<int> done;
  framebuffer->clear([&](const base::Result<void>& result) { done.set_value(unit::error_of(result)); });
  framebuffer->start(&*pages);
  EXPECT_EQ(done.get_future().get(), 0);
  EXPECT_TRUE(is_clear());
  stop();
  EXPECT_EQ(clear(), ESHUTDOWN);
}

TEST_F(FramebufferClear, MemoryIsKeptByDefault) {
  options.clear_on_close = false;
  start();
  ASSERT_TRUE(framebuffer->open(true));
  draw_mapped();
  framebuffer->close(true);
  EXPECT_EQ(clear(), 0);
  EXPECT_EQ(store(), unit::noise(total, 1));
  EXPECT_TRUE(framebuffer->open(false));
}
