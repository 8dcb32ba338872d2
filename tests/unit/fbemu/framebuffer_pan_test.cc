#include <gtest/gtest.h>

#include <atomic>

#include "fbemu/framebuffer.h"
#include "tests/support/framebuffer_fixture.h"

using unit::same;

namespace {

class FramebufferPan : public unit::FramebufferFixture {};

}  // namespace

TEST_F(FramebufferPan, PanMovesView) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  write_pixel(5, 50, 0x112233);
  ASSERT_EQ(pan(0, 48), 0);
  EXPECT_EQ(shown(5, 2), 0x112233U);
  EXPECT_EQ(get_var().yoffset, 48U);
}

TEST_F(FramebufferPan, PanKeepsCallersStructure) {
  start();
  fb_var_screeninfo wanted{};
  wanted.xres = 0x1234;
  wanted.bits_per_pixel = 7;
  memory->put(var_at, wanted);
  ASSERT_EQ(call(FBIOPAN_DISPLAY, var_at), 0);
  EXPECT_TRUE(same(memory->get<fb_var_screeninfo>(var_at), wanted));
  EXPECT_EQ(get_var().xres, 64U) << "only the offsets take effect";
}

TEST_F(FramebufferPan, PanBeyondVirtualSizeReturnsEinval) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  EXPECT_EQ(pan(0, 48), 0);
  EXPECT_EQ(pan(0, 49), -EINVAL);
  EXPECT_EQ(pan(1, 0), -EINVAL);
  EXPECT_EQ(pan(0xffff'ffff, 0xffff'ffff), -EINVAL);
  EXPECT_EQ(get_var().yoffset, 48U);
}

TEST_F(FramebufferPan, PanWithoutLargerVirtualSizeReturnsEinval) {
  start();
  EXPECT_EQ(pan(0, 0), 0);
  EXPECT_EQ(pan(0, 1), -EINVAL);
}

TEST_F(FramebufferPan, PanWithYwrapShowsFirstLineAfterLast) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  write_pixel(7, 95, 0x112233);
  write_pixel(7, 2, 0x445566);
  ASSERT_EQ(pan(0, 90, FB_VMODE_YWRAP), 0);
  EXPECT_EQ(shown(7, 5), 0x112233U);
  EXPECT_EQ(shown(7, 8), 0x445566U);
  write_pixel(9, 0, 0x778899);
  EXPECT_EQ(shown(9, 6), 0x778899U) << "damage on the other side of the seam";
  EXPECT_EQ(pan(0, 97, FB_VMODE_YWRAP), -EINVAL);
  EXPECT_EQ(pan(1, 90, FB_VMODE_YWRAP), -EINVAL);
  EXPECT_EQ(pan(0, 96, FB_VMODE_YWRAP), 0);
  EXPECT_EQ(shown(7, 2), 0x445566U);
  EXPECT_EQ(pan(0, 0, FB_VMODE_YWRAP), 0);
  EXPECT_EQ(get_var().vmode, static_cast<uint32_t>(FB_VMODE_YWRAP));
  EXPECT_EQ(pan(0, 0), 0);
  EXPECT_EQ(get_var().vmode, 0U);
}

TEST_F(FramebufferPan, PanAtBadAddressReturnsEfault) {
  start();
  EXPECT_EQ(call(FBIOPAN_DISPLAY, nowhere), -EFAULT);
}

TEST_F(FramebufferPan, PanIsAnsweredAtVblank) {
  start(unit::SteppedCard::Vblanks::stepped);
  memory->put(var_at, fb_var_screeninfo{});
  std::atomic<bool> answered{false};
  const auto result = framebuffer->ioctl(request(FBIOPAN_DISPLAY, var_at),
                                         [&](const fbemu::Framebuffer::Finish&) { answered = true; });
  EXPECT_FALSE(result.has_value());
  EXPECT_FALSE(answered);
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return answered.load(); }));
}
