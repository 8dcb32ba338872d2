#include <gtest/gtest.h>

#include <array>
#include <future>
#include <thread>

#include "fbemu/framebuffer.h"
#include "tests/support/framebuffer_fixture.h"

using unit::same;

namespace {

class FramebufferPut : public unit::FramebufferFixture {};

}  // namespace

TEST_F(FramebufferPut, BadAddressReturnsEfaultBeforeOtherChecks) {
  start();
  EXPECT_EQ(call(FBIOPUT_VSCREENINFO, nowhere), -EFAULT);
  memory->make_hole(var_at + 159, var_at + 160);
  EXPECT_EQ(call(FBIOPUT_VSCREENINFO, var_at), -EFAULT);
}

TEST_F(FramebufferPut, CurrentVarSetsNoMode) {
  start();
  EXPECT_EQ(put_var(get_var()), 0);
  EXPECT_EQ(framebuffer->statistics().mode_sets, 1U);
}

TEST_F(FramebufferPut, OtherSizeSetsMode) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.xres = var.xres_virtual = 32, var.yres = var.yres_virtual = 24; }),
            0);
  const auto var = get_var();
  EXPECT_EQ(var.xres, 32U);
  EXPECT_EQ(var.yres, 24U);
  EXPECT_EQ(framebuffer->statistics().mode_sets, 2U);
  EXPECT_EQ(framebuffer->capture()->size, (drmclient::Size{32, 24}));
}

TEST_F(FramebufferPut, AdjustedVarIsReturned) {
  start();
  fb_var_screeninfo wanted{};
  wanted.xres = 32;
  wanted.yres = 24;
  ASSERT_EQ(put_var(wanted), 0);
  const auto answer = memory->get<fb_var_screeninfo>(var_at);
  EXPECT_EQ(answer.bits_per_pixel, 32U);
  EXPECT_EQ(answer.xres_virtual, 32U);
  EXPECT_EQ(answer.green.offset, 8U);
  EXPECT_TRUE(same(answer, get_var()));
}

TEST_F(FramebufferPut, ErrorKeepsCallersStructure) {
  start();
  fb_var_screeninfo wanted{};
  wanted.xres = 7;
  wanted.yres = 24;
  wanted.reserved[2] = 0x12345678;
  EXPECT_EQ(put_var(wanted), -EINVAL);
  EXPECT_TRUE(same(memory->get<fb_var_screeninfo>(var_at), wanted));
}

TEST_F(FramebufferPut, ErrorKeepsState) {
  start();
  const auto before = get_var();
  EXPECT_EQ(change_var([](auto& var) { var.bits_per_pixel = 33; }), -EINVAL);
  EXPECT_EQ(change_var([](auto& var) { var.yoffset = 1; }), -EINVAL);
  EXPECT_EQ(change_var([](auto& var) { var.yres_virtual = 97; }), -EINVAL);
  EXPECT_TRUE(same(get_var(), before));
  EXPECT_EQ(framebuffer->statistics().mode_sets, 1U);
}

TEST_F(FramebufferPut, TestAndNextOpenReturnVarAndKeepState) {
  start();
  const auto before = get_var();
  for (const uint32_t activate : std::array<uint32_t, 3>{FB_ACTIVATE_TEST, FB_ACTIVATE_NXTOPEN, 3}) {
    ASSERT_EQ(change_var([&](auto& var) {
                var.xres = var.xres_virtual = 32;
                var.yres = var.yres_virtual = 24;
                var.activate = activate;
              }),
              0);
    EXPECT_EQ(memory->get<fb_var_screeninfo>(var_at).xres, 32U)
        << "the var returned has the size that would be set";
    EXPECT_TRUE(same(get_var(), before));
  }
  EXPECT_EQ(framebuffer->statistics().mode_sets, 1U);
}

TEST_F(FramebufferPut, TestOfInvalidVarReturnsEinval) {
  start();
  EXPECT_EQ(change_var([](auto& var) { var.xres = 4, var.activate = FB_ACTIVATE_TEST; }), -EINVAL);
}

TEST_F(FramebufferPut, ActivateIsStoredWithoutKdTextBit) {
  start();
  ASSERT_EQ(
      change_var([](auto& var) { var.activate = FB_ACTIVATE_VBL | FB_ACTIVATE_FORCE | FB_ACTIVATE_KD_TEXT; }),
      0);
  EXPECT_EQ(get_var().activate, static_cast<uint32_t>(FB_ACTIVATE_VBL | FB_ACTIVATE_FORCE));
}

TEST_F(FramebufferPut, InvModeOfCurrentModeReturnsEinval) {
  start();
  EXPECT_EQ(change_var([](auto& var) { var.activate = FB_ACTIVATE_INV_MODE; }), -EINVAL);
  EXPECT_EQ(change_var([](auto& var) { var.xres = 7, var.activate = FB_ACTIVATE_INV_MODE; }), 0)
      << "checked before the size";
  EXPECT_EQ(get_var().xres, 64U);
}

TEST_F(FramebufferPut, UnwritableAnswerReturnsEfaultAndKeepsChange) {
  start();
  fb_var_screeninfo wanted = get_var();
  wanted.yres_virtual = 96;
  memory->put(var_at + 4096, wanted);
  memory->make_read_only(var_at + 4096, var_at + 4256);
  EXPECT_EQ(call(FBIOPUT_VSCREENINFO, var_at + 4096), -EFAULT);
  EXPECT_EQ(get_var().yres_virtual, 96U);
}

TEST_F(FramebufferPut, OffsetsAreAbsoluteAndTakeEffect) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  write_pixel(5, 50, 0x778899);
  ASSERT_EQ(change_var([](auto& var) { var.yoffset = 40; }), 0);
  EXPECT_EQ(shown(5, 10), 0x778899U);
  ASSERT_EQ(change_var([](auto& var) { var.yoffset = 48; }), 0);
  EXPECT_EQ(shown(5, 2), 0x778899U);
}

TEST_F(FramebufferPut, ModeRefusedByCardRestoresShownState) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  ASSERT_EQ(pan(0, 7), 0);
  const auto before = get_var();
  card->refuse_modes = EBUSY;
  EXPECT_EQ(change_var([](auto& var) { var.xres = 32, var.yoffset = 1; }), -EBUSY);
  EXPECT_TRUE(same(get_var(), before));
  EXPECT_EQ(framebuffer->status().fb_state.offset.y, 7U);
  EXPECT_EQ(framebuffer->status().fb_state.mode.size(), (drmclient::Size{64, 48}));
}

TEST_F(FramebufferPut, ModeRefusedByCardKeepsCallersStructure) {
  start();
  fb_var_screeninfo wanted{};
  wanted.xres = 32;
  wanted.yres = 24;
  card->refuse_modes = EINVAL;
  EXPECT_EQ(put_var(wanted), -EINVAL);
  EXPECT_TRUE(same(memory->get<fb_var_screeninfo>(var_at), wanted));
}

TEST_F(FramebufferPut, LateAnswerKeepsStateOfLaterRollback) {
  start();
  std::promise<fbemu::Framebuffer::Finish> first;
  fb_var_screeninfo wanted = get_var();
  wanted.yres_virtual = 90;
  memory->put(var_at, wanted);
  ASSERT_FALSE(
      framebuffer->ioctl(request(FBIOPUT_VSCREENINFO, var_at),
                         [&](fbemu::Framebuffer::Finish finish) { first.set_value(std::move(finish)); }));
  const auto finish_first = first.get_future().get();
  // The first change is shown, but its program is slow. Then the card refuses the mode of another program.
  card->refuse_modes = EBUSY;
  EXPECT_EQ(change_var([](auto& var) { var.xres = var.xres_virtual = 32; }), -EBUSY);
  EXPECT_TRUE(finish_first());
  EXPECT_EQ(get_var().yres_virtual, 90U) << "the last state shown";
}

TEST_F(FramebufferPut, NewModeUnblanks) {
  start();
  ASSERT_EQ(call(FBIOBLANK, FB_BLANK_POWERDOWN), 0);
  ASSERT_EQ(change_var([](auto& var) { var.xres = var.xres_virtual = 32; }), 0);
  ASSERT_EQ(call(FBIO_WAITFORVSYNC, 0), 0);
  EXPECT_EQ(framebuffer->status().presenter.power, drmclient::Power::on);
  EXPECT_EQ(framebuffer->status().blank_level, static_cast<uint32_t>(FB_BLANK_UNBLANK));
}

namespace {

/// A program's memory that blocks a write until the test allows it.
class SlowMemory final : public fbemu::UserMemory {
 public:
  [[nodiscard]] base::Result<void> read(uint64_t, std::span<std::byte> into) override {
    std::memcpy(into.data(), &var, std::min(into.size(), sizeof var));
    return {};
  }
  [[nodiscard]] base::Result<void> write(uint64_t, std::span<const std::byte>) override {
    writing.set_value();
    may_go_on.get_future().wait();
    return {};
  }
  fb_var_screeninfo var{};
  std::promise<void> writing;
  std::promise<void> may_go_on;
};

}  // namespace

TEST_F(FramebufferPut, SlowProgramMemoryBlocksNoOtherProgram) {
  start();
  for (const uint32_t activate :
       std::array<uint32_t, 3>{FB_ACTIVATE_NOW, FB_ACTIVATE_TEST, FB_ACTIVATE_INV_MODE}) {
    const auto slow = std::make_shared<SlowMemory>();
    slow->var = get_var();
    slow->var.activate = activate;
    if (activate == FB_ACTIVATE_INV_MODE) slow->var.xres = 9;
    std::thread program([&] {
      const auto result = framebuffer->ioctl({FBIOPUT_VSCREENINFO, 0, abi, slow}, [](const auto&) {});
      EXPECT_TRUE(result && *result);
    });
    slow->writing.get_future().wait();
    auto other = std::async(std::launch::async, [&] { return call(FBIOGET_VSCREENINFO, var_at); });
    EXPECT_EQ(other.wait_for(unit::timeout), std::future_status::ready) << "activate " << activate;
    slow->may_go_on.set_value();
    program.join();
    EXPECT_EQ(other.get(), 0);
  }
}

TEST_F(FramebufferPut, DrawingAtEveryDepthIsShown) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  const auto fix = [&] {
    EXPECT_EQ(call(FBIOGET_FSCREENINFO, fix_at), 0);
    return memory->get<fb_fix_screeninfo>(fix_at);
  };
  ASSERT_EQ(change_var([](auto& var) { var.bits_per_pixel = 16; }), 0);
  EXPECT_EQ(get_var().green.length, 6U);
  EXPECT_EQ(fix().line_length, 128U);
  const std::array<std::byte, 2> green{std::byte{0xe0}, std::byte{0x07}};
  pages->store(128 * 3 + 2 * 7, green);
  ASSERT_EQ(framebuffer->write(128 * 3 + 2 * 7, green).value_or(0), 2U);
  EXPECT_EQ(shown(7, 3), 0x00ff00U);

  ASSERT_EQ(change_var([](auto& var) { var.bits_per_pixel = 1; }), 0);
  EXPECT_EQ(fix().visual, static_cast<uint32_t>(FB_VISUAL_MONO10));
  EXPECT_EQ(fix().line_length, 8U);
  const std::array<std::byte, 1> third{std::byte{0x20}};
  pages->store(8, third);
  ASSERT_EQ(framebuffer->write(8, third).value_or(0), 1U);
  EXPECT_EQ(shown(2, 1), 0xffffffU);
  EXPECT_EQ(shown(3, 1), 0U);

  ASSERT_EQ(change_var([](auto& var) { var.bits_per_pixel = 32; }), 0);
  EXPECT_EQ(fix().line_length, 256U);
  EXPECT_EQ(fix().smem_len, 24'576U) << "the memory keeps its size";
}

TEST_F(FramebufferPut, ProgramRotationRotatesPicture) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_EQ(change_var([](auto& var) {
              var.rotate = FB_ROTATE_CW;
              var.xres = var.xres_virtual = 48;
              var.yres = var.yres_virtual = 64;
            }),
            0);
  write_pixel(0, 0, 0xabcdef);
  EXPECT_EQ(shown(63, 0), 0xabcdefU);
  EXPECT_EQ(framebuffer->status().fb_state.mode.size(), (drmclient::Size{64, 48}));
}

TEST_F(FramebufferPut, DisplayRotationIsHiddenFromPrograms) {
  options.rotation = fbemu::Rotation::half_turn;
  start();
  ASSERT_TRUE(framebuffer->open(true));
  EXPECT_EQ(get_var().rotate, 0U);
  write_pixel(0, 0, 0xabcdef);
  EXPECT_EQ(shown(63, 47), 0xabcdefU);
}

TEST_F(FramebufferPut, PanFlipsToOtherBuffer) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  write_pixel(1, 50, 0x010203);
  ASSERT_EQ(pan(0, 48), 0);
  EXPECT_EQ(shown(1, 2), 0x010203U);
  write_pixel(4, 60, 0x040506);
  EXPECT_EQ(shown(4, 12), 0x040506U) << "changes go to the buffer that is scanned out";
  ASSERT_EQ(pan(0, 0), 0);
  EXPECT_EQ(shown(4, 12), 0U);
}
