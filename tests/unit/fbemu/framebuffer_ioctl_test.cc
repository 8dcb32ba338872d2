#include <gtest/gtest.h>

#include <atomic>
#include <system_error>

#include "fbemu/framebuffer.h"
#include "tests/support/eventually.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

class FramebufferIoctl : public unit::FramebufferFixture {};
class UnknownIoctl : public unit::FramebufferFixture, public testing::WithParamInterface<uint32_t> {};

}  // namespace

TEST_F(FramebufferIoctl, GetVarReturnsVisibleScreen) {
  start();
  const auto var = get_var();
  EXPECT_EQ(var.xres, 64U);
  EXPECT_EQ(var.yres, 48U);
  EXPECT_EQ(var.xres_virtual, 64U);
  EXPECT_EQ(var.yres_virtual, 48U);
  EXPECT_EQ(var.bits_per_pixel, 32U);
  EXPECT_EQ(var.activate, 0U);
}

TEST_F(FramebufferIoctl, GetVarWritesExactly160Bytes) {
  start();
  ASSERT_EQ(call(FBIOGET_VSCREENINFO, var_at), 0);
  EXPECT_TRUE(memory->is_untouched(var_at + 160, 64));
}

TEST_F(FramebufferIoctl, GetVarIsEqualForBothAbis) {
  start();
  const auto var = get_var();
  abi = fbemu::Abi::ilp32;
  EXPECT_TRUE(unit::same(get_var(), var));
}

TEST_F(FramebufferIoctl, GetVarAtBadAddressReturnsEfault) {
  start();
  EXPECT_EQ(call(FBIOGET_VSCREENINFO, nowhere), -EFAULT);
}

TEST_F(FramebufferIoctl, GetFixReturnsMemoryAndLineLength) {
  start();
  ASSERT_EQ(call(FBIOGET_FSCREENINFO, fix_at), 0);
  const auto fix = memory->get<fb_fix_screeninfo>(fix_at);
  EXPECT_STREQ(fix.id, "fbemu headless");
  EXPECT_EQ(fix.smem_len, 24'576U);
  EXPECT_EQ(fix.line_length, 256U);
  EXPECT_EQ(fix.smem_start, 0U);
  EXPECT_EQ(fix.xpanstep, 1U);
  EXPECT_EQ(fix.ypanstep, 1U);
  EXPECT_EQ(fix.ywrapstep, 1U);
  EXPECT_EQ(fix.visual, static_cast<uint32_t>(FB_VISUAL_TRUECOLOR));
}

TEST_F(FramebufferIoctl, GetFixWith32BitAbiWrites68ByteStructure) {
  start();
  abi = fbemu::Abi::ilp32;
  ASSERT_EQ(call(FBIOGET_FSCREENINFO, fix_at), 0);
  EXPECT_EQ(memory->get<uint32_t>(fix_at + 20), 24'576U);
  EXPECT_EQ(memory->get<uint32_t>(fix_at + 44), 256U);
  EXPECT_TRUE(memory->is_untouched(fix_at + 64, 64));
}

TEST_F(FramebufferIoctl, GetFixAtBadAddressReturnsEfault) {
  start();
  EXPECT_EQ(call(FBIOGET_FSCREENINFO, nowhere), -EFAULT);
}

TEST_F(FramebufferIoctl, BlankAcceptsLevelsZeroToFour) {
  start();
  for (uint64_t level = 0; level <= 4; ++level) {
    EXPECT_EQ(call(FBIOBLANK, level), 0) << level;
    EXPECT_EQ(framebuffer->status().blank_level, level);
  }
}

TEST_F(FramebufferIoctl, BlankWithOtherLevelReturnsEinval) {
  start();
  EXPECT_EQ(call(FBIOBLANK, 5), -EINVAL);
  EXPECT_EQ(call(FBIOBLANK, 0xffff'ffff), -EINVAL);
  EXPECT_EQ(call(FBIOBLANK, 0x1'0000'0000), -EINVAL);
  EXPECT_EQ(framebuffer->status().blank_level, 0U);
}

TEST_F(FramebufferIoctl, BlankHidesPictureUntilUnblank) {
  start();
  write_pixel(3, 4, 0xabcdef);
  ASSERT_EQ(shown(3, 4), 0xabcdefU);
  ASSERT_EQ(call(FBIOBLANK, FB_BLANK_POWERDOWN), 0);
  EXPECT_EQ(shown(3, 4), 0U);
  ASSERT_EQ(call(FBIOBLANK, FB_BLANK_UNBLANK), 0);
  EXPECT_EQ(shown(3, 4), 0xabcdefU);
}

TEST_F(FramebufferIoctl, BlankLevelSetsPowerLevel) {
  start();
  using drmclient::Power;
  constexpr std::array levels{Power::on, Power::standby, Power::suspend, Power::standby, Power::off};
  for (size_t level = levels.size(); level-- > 0;) {
    ASSERT_EQ(call(FBIOBLANK, level), 0);
    ASSERT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
    EXPECT_EQ(framebuffer->status().presenter.power, levels.at(level)) << level;
  }
}

TEST_F(FramebufferIoctl, WaitForVsyncIgnoresArgument) {
  start();
  const int reads = memory->reads;
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, nowhere), 0);
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, 0xffff'ffff'ffff'ffff), 0);
  EXPECT_EQ(memory->reads, reads);
}

TEST_F(FramebufferIoctl, WaitForVsyncIsAnsweredAtVblank) {
  start(unit::SteppedCard::Vblanks::stepped);
  std::atomic<bool> answered{false};
  const auto result =
      framebuffer->ioctl(request(FBIO_WAITFORVSYNC, 0), [&](const fbemu::Framebuffer::Finish& finish) {
        EXPECT_TRUE(finish());
        answered = true;
      });
  EXPECT_FALSE(result.has_value());
  EXPECT_FALSE(answered);
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return answered.load(); }));
}

TEST_F(FramebufferIoctl, WaitForVsyncWith32BitAbiSucceeds) {
  start();
  abi = fbemu::Abi::ilp32;
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
}

TEST_F(FramebufferIoctl, WaitForVsyncWhileBlankIsAnswered) {
  start();
  ASSERT_EQ(call(FBIOBLANK, 4), 0);
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
}

TEST_F(FramebufferIoctl, OnlyWaitForVsyncCanBeInterrupted) {
  EXPECT_TRUE(fbemu::Framebuffer::is_interruptible(FBIO_WAITFORVSYNC));
  EXPECT_FALSE(fbemu::Framebuffer::is_interruptible(FBIOPAN_DISPLAY));
  EXPECT_FALSE(fbemu::Framebuffer::is_interruptible(FBIOPUT_VSCREENINFO));
}

TEST_F(FramebufferIoctl, EveryIoctlIsCounted) {
  start();
  static_cast<void>(call(FBIOGET_VSCREENINFO, var_at));
  static_cast<void>(call(0x4699, 0));
  static_cast<void>(call(FBIO_WAITFORVSYNC, 0));
  EXPECT_EQ(framebuffer->statistics().ioctls, 3U);
}

TEST_F(FramebufferIoctl, IoctlsAfterStopAreAnswered) {
  start();
  stop();
  EXPECT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
  EXPECT_EQ(call(FBIOGET_VSCREENINFO, var_at), 0);
  EXPECT_EQ(pan(0, 0), 0);
}

TEST_F(FramebufferIoctl, StopAnswersPendingWaits) {
  start(unit::SteppedCard::Vblanks::stepped);
  std::atomic<int> answered{0};
  for (int i = 0; i < 10; ++i) {
    ASSERT_FALSE(framebuffer->ioctl(request(FBIO_WAITFORVSYNC, 0),
                                    [&](const fbemu::Framebuffer::Finish&) { ++answered; }));
  }
  stop();
  EXPECT_EQ(answered, 10);
}

TEST_P(UnknownIoctl, ReturnsEnottyWithoutMemoryAccess) {
  start();
  EXPECT_EQ(call(GetParam(), var_at), -ENOTTY);
  abi = fbemu::Abi::ilp32;
  EXPECT_EQ(call(GetParam(), nowhere), -ENOTTY);
  EXPECT_EQ(memory->reads + memory->writes, 0);
}

INSTANTIATE_TEST_SUITE_P(Framebuffer, UnknownIoctl,
                         testing::Values(0x4603U, 0x4607U, 0x460cU, 0x4613U, 0x4614U, 0x4615U, 0x4616U,
                                         0x4617U, 0x4618U, 0x4699U, 0U, 0xffff'ffffU, 0x5401U,
                                         0x00004600U | 0x8000'0000U));

TEST_F(FramebufferIoctl, VblankCountAdvancesWithoutWaits) {
  start();
  const auto count = [&] {
    EXPECT_EQ(call(FBIOGET_VBLANK, var_at), 0);
    const auto vblank = memory->get<fb_vblank>(var_at);
    EXPECT_EQ(vblank.flags, static_cast<uint32_t>(FB_VBLANK_HAVE_COUNT));
    return vblank.count;
  };
  const uint32_t first = count();
  ASSERT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
  const uint32_t second = count();
  EXPECT_GT(second, first);
  EXPECT_TRUE(unit::eventually([&] { return count() > second; }));
}

TEST_F(FramebufferIoctl, GetVblankAtBadAddressReturnsEfault) {
  start();
  EXPECT_EQ(call(FBIOGET_VBLANK, nowhere), -EFAULT);
}

TEST_F(FramebufferIoctl, ConsoleMapHasEveryConsoleOnThisFramebuffer) {
  options.number = 3;
  start();
  for (const uint32_t console : {1U, 63U}) {
    memory->put(var_at, fb_con2fbmap{console, 99});
    ASSERT_EQ(call(FBIOGET_CON2FBMAP, var_at), 0);
    EXPECT_EQ(memory->get<fb_con2fbmap>(var_at).framebuffer, 3U);
  }
  for (const uint32_t console : {0U, 64U, 0xffff'ffffU}) {
    memory->put(var_at, fb_con2fbmap{console, 99});
    EXPECT_EQ(call(FBIOGET_CON2FBMAP, var_at), -EINVAL);
    EXPECT_EQ(memory->get<fb_con2fbmap>(var_at).framebuffer, 99U);
    memory->put(var_at, fb_con2fbmap{console, 3});
    EXPECT_EQ(call(FBIOPUT_CON2FBMAP, var_at), -EINVAL);
  }
  memory->put(var_at, fb_con2fbmap{1, 3});
  EXPECT_EQ(call(FBIOPUT_CON2FBMAP, var_at), 0);
  for (const uint32_t other : {0U, 4U, 32U, 0xffff'ffffU}) {
    memory->put(var_at, fb_con2fbmap{1, other});
    EXPECT_EQ(call(FBIOPUT_CON2FBMAP, var_at), -EINVAL);
  }
  EXPECT_EQ(call(FBIOGET_CON2FBMAP, nowhere), -EFAULT);
  EXPECT_EQ(call(FBIOPUT_CON2FBMAP, nowhere), -EFAULT);
}

TEST_F(FramebufferIoctl, CursorReturnsErrorOfDrmDrivers) {
  start();
  EXPECT_EQ(call(0xc0684608, var_at), -EINVAL);
  EXPECT_EQ(call(0xc0484608, var_at), -ENOTTY);
  abi = fbemu::Abi::ilp32;
  EXPECT_EQ(call(0xc0684608, var_at), -ENOTTY);
  EXPECT_EQ(call(0xc0484608, var_at), -ENOTTY);
}
