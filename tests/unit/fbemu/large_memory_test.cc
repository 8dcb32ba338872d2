// Tests a framebuffer of more than 2 GiB, of which only a few pages are touched.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>

#include "fbemu/framebuffer.h"
#include "tests/support/fake_user_memory.h"
#include "tests/support/framebuffer_fixture.h"
#include "tests/support/stepped_card.h"
#include "tests/support/thrown.h"

namespace {

constexpr uint64_t var_at = unit::FakeUserMemory::base;

class LargeMemory : public testing::Test {
 protected:
  ~LargeMemory() override { framebuffer->stop(); }

  [[nodiscard]] int call(uint32_t command, const fb_var_screeninfo& var) {
    memory->put(var_at, var);
    return unit::result_of(*framebuffer, {command, var_at, fbemu::Abi::lp64, memory});
  }
  [[nodiscard]] uint32_t shown(uint32_t x, uint32_t y) {
    const auto capture = framebuffer->capture();
    return capture->pixels.at(size_t{y} * capture->size.width + x);
  }

  static unit::FaultyOptions narrow() {
    unit::FaultyOptions headless;
    headless.size = {8, 48};
    return headless;
  }
  fbemu::FramebufferOptions options() {
    fbemu::FramebufferOptions options;
    options.mode = card.probe()->front()->info().modes.front();
    options.memory_bytes = 3'000'000'000;
    return options;
  }

  std::shared_ptr<unit::FakeUserMemory> memory = std::make_shared<unit::FakeUserMemory>();
  unit::SteppedCard card{narrow(), unit::SteppedCard::Vblanks::at_once};
  std::unique_ptr<fbemu::Framebuffer> framebuffer =
      std::make_unique<fbemu::Framebuffer>(card, *card.probe()->front(), options());
};

}  // namespace

TEST_F(LargeMemory, WriteAcrossLine2To31IsShown) {
  framebuffer->start(nullptr);
  ASSERT_TRUE(framebuffer->open(true));
  fb_var_screeninfo var{};
  var.xres = 8;
  var.yres = 48;
  var.xres_virtual = 1;  // raised to 8 after the check of the product
  var.yres_virtual = 3'000'000'000;
  var.bits_per_pixel = 1;
  ASSERT_EQ(call(FBIOPUT_VSCREENINFO, var), 0);
  constexpr uint32_t line = 0x8000'0000;
  var.yoffset = line - 20;
  ASSERT_EQ(call(FBIOPAN_DISPLAY, var), 0);
  ASSERT_EQ(shown(0, 20), 0U);

  constexpr std::array white{std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};
  ASSERT_EQ(framebuffer->write(line - 1, white).value_or(0), white.size());
  EXPECT_EQ(shown(0, 18), 0U);
  EXPECT_EQ(shown(0, 19), 0xffffffU);
  EXPECT_EQ(shown(7, 21), 0xffffffU);
  EXPECT_EQ(shown(7, 20), 0xffffffU);
  EXPECT_EQ(shown(0, 22), 0U);
}

TEST_F(LargeMemory, SizeThatRoundsUpBeyond64BitsThrowsWithItsValue) {
  fbemu::FramebufferOptions too_large = options();
  too_large.memory_bytes = UINT64_MAX;
  const auto thrown = unit::thrown_by([&] { fbemu::Framebuffer(card, *card.probe()->front(), too_large); });
  EXPECT_TRUE(thrown.says("18446744073709551615 bytes were asked for")) << thrown.what;
}
