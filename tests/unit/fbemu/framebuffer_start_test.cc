#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <string>
#include <system_error>
#include <thread>

#include "fbemu/framebuffer.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

class FramebufferStart : public unit::FramebufferFixture {};

}  // namespace

TEST_F(FramebufferStart, DefaultMemoryIsTwoScreens) {
  build();
  EXPECT_EQ(framebuffer->memory_bytes(), 24'576U);
}

TEST_F(FramebufferStart, DefaultMemoryHoldsVirtualScreen) {
  options.virtual_size = {100, 300};
  build();
  EXPECT_EQ(framebuffer->memory_bytes(), 122'880U);  // 120000 in whole pages
}

TEST_F(FramebufferStart, RequestedMemoryIsRoundedUpToPages) {
  options.memory_bytes = 13'000;
  build();
  EXPECT_EQ(framebuffer->memory_bytes(), 16'384U);
}

TEST_F(FramebufferStart, VirtualScreenLargerThanMemoryThrowsWithItsSize) {
  options.virtual_size = {64, 100};
  options.memory_bytes = 16'384;
  try {
    build();
    FAIL() << "built";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EINVAL);
    EXPECT_NE(std::string(error.what()).find("64x100"), std::string::npos) << error.what();
  }
}

TEST_F(FramebufferStart, MemoryBeyondSmemLenThrows) {
  options.memory_bytes = 0x1'0000'0000;
  EXPECT_THROW(build(), std::system_error);
}

TEST_F(FramebufferStart, ModeRefusedByCardThrowsWithOutputName) {
  build();
  card->refuse_modes = EBUSY;
  try {
    framebuffer->start(nullptr);
    FAIL() << "started";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EBUSY);
    EXPECT_NE(std::string(error.what()).find("Virtual-1"), std::string::npos) << error.what();
  }
}

/// The answers use members of the framebuffer. AddressSanitizer reports it if these are destroyed before.
TEST_F(FramebufferStart, RequestsWithoutStartAreAnsweredByDestructor) {
  build();
  int answered = 0;
  const auto later = [&](const fbemu::Framebuffer::Finish& finish) {
    EXPECT_TRUE(finish());
    ++answered;
  };
  fb_var_screeninfo other = get_var();
  ASSERT_FALSE(framebuffer->ioctl(request(FBIO_WAITFORVSYNC, 0), later).has_value());
  ASSERT_FALSE(framebuffer->ioctl(request(FBIOPAN_DISPLAY, var_at), later).has_value());
  other.bits_per_pixel = 16;
  memory->put(var_at, other);
  ASSERT_FALSE(framebuffer->ioctl(request(FBIOPUT_VSCREENINFO, var_at), later).has_value());
  EXPECT_EQ(answered, 0);
  framebuffer.reset();
  EXPECT_EQ(answered, 3);
}

TEST_F(FramebufferStart, VblankCountBeforeStartIsZero) {
  build();
  ASSERT_EQ(call(FBIOGET_VBLANK, var_at), 0);
  EXPECT_EQ(memory->get<fb_vblank>(var_at).count, 0U);
}

/// A front end serves requests before the framebuffer is started. ThreadSanitizer reports a race here.
TEST_F(FramebufferStart, IoctlsDuringStartAreAnswered) {
  build();
  std::atomic<bool> started{false};
  std::atomic<int> failed{0};
  std::atomic<int> answered{0};
  std::thread program([&] {
    while (!started || answered == 0) {
      for (const uint32_t command : std::array<uint32_t, 2>{FBIOGET_VBLANK, FBIOGET_VSCREENINFO}) {
        const auto result = framebuffer->ioctl(request(command, var_at), {});
        failed += result && *result ? 0 : 1;
      }
      ++answered;
    }
  });
  ASSERT_TRUE(unit::eventually([&] { return answered > 0; }));
  framebuffer->start(&*pages);
  started = true;
  program.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(FramebufferStart, FlushReportsEnomemWhileMemoryIsShort) {
  start(unit::SteppedCard::Vblanks::stepped);
  const auto flush = [&] {
    std::promise<int> reported;
    const bool waits = framebuffer->flush(
        [&](const base::Result<void>& result) { reported.set_value(unit::error_of(result)); });
    return waits ? reported.get_future().get() : -1;
  };
  write_pixel(3, 5, 0x123456);
  card->no_memory_to_present = true;
  EXPECT_EQ(flush(), ENOMEM);
  EXPECT_EQ(flush(), ENOMEM);
  card->no_memory_to_present = false;
  EXPECT_EQ(flush(), 0);
  EXPECT_EQ(shown(3, 5), 0x123456U);
}

TEST_F(FramebufferStart, WaitForVsyncWhileMemoryIsShortReturnsEnomem) {
  start();
  card->no_memory_to_present = true;
  write_pixel(3, 5, 0x123456);
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, 0), -ENOMEM);
}
