// The framebuffer calls its front end without a lock, so that the front end may call the framebuffer again.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <vector>

#include "fbemu/framebuffer.h"
#include "tests/support/eventually.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

class FramebufferCallbacks : public unit::FramebufferFixture {
 protected:
  ~FramebufferCallbacks() override { stop(); }

  /// Returns true if another thread can use the framebuffer while the calling thread does nothing.
  [[nodiscard]] bool is_unlocked() {
    users.push_back(std::async(std::launch::async, [this] {
      EXPECT_TRUE(framebuffer->open(true));
      static_cast<void>(framebuffer->write(0, std::vector<std::byte>(4)));
      static_cast<void>(framebuffer->status());
      framebuffer->close(true);
    }));
    return users.back().wait_for(unit::timeout) == std::future_status::ready;
  }
  /// Makes an ioctl of each kind that may be answered later.
  void ask() {
    fb_var_screeninfo var = get_var();
    var.activate = FB_ACTIVATE_FORCE;
    memory->put(var_at, var);
    for (const uint32_t command :
         std::array<uint32_t, 3>{FBIO_WAITFORVSYNC, FBIOPAN_DISPLAY, FBIOPUT_VSCREENINFO}) {
      const auto result =
          framebuffer->ioctl(request(command, var_at), [&](const fbemu::Framebuffer::Finish& finish) {
            unlocked += is_unlocked() ? 1 : 0;
            EXPECT_TRUE(finish());
            ++answered;
          });
      if (!result) continue;
      EXPECT_TRUE(*result);
      ++unlocked;
      ++answered;
    }
  }

  std::vector<std::future<void>> users;
  std::atomic<int> unlocked{0};  ///< number of answers given without a lock
  std::atomic<int> answered{0};
};

}  // namespace

TEST_F(FramebufferCallbacks, AnswersAtVblankAreGivenWithoutLock) {
  start();
  ask();
  EXPECT_TRUE(unit::eventually([&] { return answered == 3; }));
  EXPECT_EQ(unlocked, 3);
}

TEST_F(FramebufferCallbacks, AnswersByStopAreGivenWithoutLock) {
  build();
  ask();
  EXPECT_EQ(answered, 0);
  stop();
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(unlocked, 3);
}

TEST_F(FramebufferCallbacks, AnswersAfterStopAreGivenWithoutLock) {
  start();
  stop();
  ask();
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(unlocked, 3);
}

TEST_F(FramebufferCallbacks, ChangeAfterStopTakesEffect) {
  start();
  stop();
  EXPECT_EQ(call(FBIOBLANK, FB_BLANK_POWERDOWN), 0);
  EXPECT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  EXPECT_EQ(pan(0, 20), 0);
  EXPECT_EQ(get_var().yoffset, 20U);
  EXPECT_EQ(framebuffer->status().blank_level, static_cast<uint32_t>(FB_BLANK_UNBLANK));
}

TEST_F(FramebufferCallbacks, FlushResultIsGivenWithoutLock) {
  start(unit::SteppedCard::Vblanks::stepped);
  write_pixel(1, 1, 0x123456);
  std::promise<bool> done;
  ASSERT_TRUE(framebuffer->flush([&](const base::Result<void>& result) {
    EXPECT_TRUE(result);
    done.set_value(is_unlocked());
  }));
  EXPECT_TRUE(done.get_future().get());
}
