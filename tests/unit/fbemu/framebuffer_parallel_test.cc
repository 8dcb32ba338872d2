#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "fbemu/framebuffer.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

constexpr int programs = 50;

class FramebufferParallel : public unit::FramebufferFixture {
 protected:
  /// A program with memory of its own.
  struct Program {
    fbemu::Framebuffer& framebuffer;
    std::shared_ptr<unit::FakeUserMemory> memory = std::make_shared<unit::FakeUserMemory>();

    [[nodiscard]] int call(uint32_t command, uint64_t argument) {
      return unit::result_of(framebuffer, {command, argument, fbemu::Abi::lp64, memory});
    }
  };

  void run(const std::function<void(Program&, int)>& body) {
    std::latch all_started(programs);
    std::vector<std::thread> threads;
    for (int i = 0; i < programs; ++i) {
      threads.emplace_back([&, i] {
        Program program{*framebuffer};
        all_started.arrive_and_wait();
        body(program, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

}  // namespace

TEST_F(FramebufferParallel, VblankWaitsOfFiftyProgramsAreAnswered) {
  start();
  std::atomic<int> answered{0};
  run([&](Program& program, int) {
    for (int k = 0; k < 20; ++k) answered += program.call(FBIO_WAITFORVSYNC, 0) == 0 ? 1 : 0;
  });
  EXPECT_EQ(answered, programs * 20);
}

TEST_F(FramebufferParallel, PansOfFiftyProgramsLeaveOneOfTheirStates) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  std::atomic<int> panned{0};
  run([&](Program& program, int i) {
    fb_var_screeninfo var{};
    var.yoffset = static_cast<uint32_t>(i % 48);
    program.memory->put(var_at, var);
    panned += program.call(FBIOPAN_DISPLAY, var_at) == 0 ? 1 : 0;
  });
  EXPECT_EQ(panned, programs);
  EXPECT_LT(get_var().yoffset, 48U);
  EXPECT_EQ(framebuffer->status().fb_state.offset.y, get_var().yoffset);
}

TEST_F(FramebufferParallel, PictureAfterManyPansMatchesGetVar) {
  start();
  ASSERT_EQ(change_var([](auto& var) { var.yres_virtual = 96; }), 0);
  for (uint32_t y = 0; y < 96; ++y) write_pixel(0, y, 0x100000 + y);
  run([&](Program& program, int i) {
    for (int k = 0; k < 10; ++k) {
      fb_var_screeninfo var{};
      var.yoffset = static_cast<uint32_t>((i * 7 + k) % 49);
      program.memory->put(var_at, var);
      EXPECT_EQ(program.call(FBIOPAN_DISPLAY, var_at), 0);
    }
  });
  EXPECT_EQ(shown(0, 0), 0x100000U + get_var().yoffset);
}

TEST_F(FramebufferParallel, VarReadDuringChangesIsConsistent) {
  start();
  std::atomic<int> torn{0};
  run([&](Program& program, int i) {
    for (int k = 0; k < 20; ++k) {
      if (i % 5 == 0) {
        fb_var_screeninfo var{};
        const uint32_t side = k % 2 == 0 ? 16 : 32;
        var.xres = var.yres = var.xres_virtual = var.yres_virtual = side;
        program.memory->put(var_at, var);
        EXPECT_EQ(program.call(FBIOPUT_VSCREENINFO, var_at), 0);
      } else {
        EXPECT_EQ(program.call(FBIOGET_VSCREENINFO, var_at), 0);
        const auto var = program.memory->get<fb_var_screeninfo>(var_at);
        const bool whole =
            (var.xres == 64 && var.yres == 48) || (var.xres == var.yres && var.xres == var.xres_virtual);
        torn += whole ? 0 : 1;
      }
    }
  });
  EXPECT_EQ(torn, 0);
}

TEST_F(FramebufferParallel, IoctlsDuringWritesOpensAndClosesSucceed) {
  start();
  std::atomic<int> failed{0};
  run([&](Program& program, int i) {
    ASSERT_TRUE(framebuffer->open(i % 2 == 0));
    const auto expect = [&](int result) { failed += result == 0 ? 0 : 1; };
    for (int k = 0; k < 5; ++k) {
      expect(program.call(FBIOGET_VSCREENINFO, var_at));
      expect(program.call(FBIOGET_FSCREENINFO, fix_at));
      expect(program.call(FBIOBLANK, static_cast<uint64_t>(k % 2)));
      program.memory->put(map_at, std::array<uint64_t, 5>{uint64_t{16} << 32, red_at, green_at, blue_at, 0});
      expect(program.call(FBIOPUTCMAP, map_at));
      expect(program.call(FBIOGETCMAP, map_at));
      expect(program.call(FBIO_WAITFORVSYNC, 0));
      static_cast<void>(framebuffer->write(static_cast<uint64_t>(i) * 100, unit::noise(50, 1)));
      static_cast<void>(framebuffer->status());
      if (i == 7) expect(framebuffer->capture() ? 0 : 1);
    }
    framebuffer->close(i % 2 == 0);
  });
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(framebuffer->status().open_files, 0U);
  EXPECT_EQ(framebuffer->status().open_writers, 0U);
}

TEST_F(FramebufferParallel, WritesOfFiftyProgramsAreShown) {
  start();
  run([&](Program&, int i) {
    for (uint32_t x = 0; x < 64; ++x) {
      if (i < 48) write_pixel(x, static_cast<uint32_t>(i), 0x010000U * static_cast<uint32_t>(i) + x);
    }
  });
  const auto capture = framebuffer->capture();
  ASSERT_TRUE(capture.has_value());
  for (uint32_t y = 0; y < 48; ++y) {
    for (uint32_t x = 0; x < 64; ++x) ASSERT_EQ(capture->pixels[y * 64 + x], 0x010000U * y + x);
  }
}

TEST_F(FramebufferParallel, StopUnderLoadAnswersEveryRequest) {
  start();
  std::atomic<int> answered{0};
  std::thread stopping([&] {
    while (answered < programs) std::this_thread::yield();
    stop();
  });
  run([&](Program& program, int) {
    for (int k = 0; k < 20; ++k) answered += program.call(FBIO_WAITFORVSYNC, 0) == 0 ? 1 : 0;
  });
  stopping.join();
  EXPECT_EQ(answered, programs * 20);
}

TEST_F(FramebufferParallel, ModeAndPaletteChangesOfFiftyProgramsLeaveConsistentState) {
  start();
  ASSERT_TRUE(framebuffer->open(true));
  constexpr std::array<uint32_t, 6> depths{1, 8, 15, 16, 24, 32};
  std::atomic<int> answered{0};
  run([&](Program& program, int i) {
    for (uint32_t k = 0; k < 12; ++k) {
      fb_var_screeninfo var{};
      var.xres = k % 3 == 0 ? 64 : 40;
      var.yres = k % 2 == 0 ? 48 : 30;
      var.bits_per_pixel = depths.at((static_cast<uint32_t>(i) + k) % depths.size());
      var.rotate = k % 4;
      program.memory->put(var_at, var);
      fb_cmap map{static_cast<uint32_t>(i), 16, nullptr, nullptr, nullptr, nullptr};
      const auto pointer = [](uint64_t address) { return reinterpret_cast<uint16_t*>(address); };
      map.red = pointer(red_at);
      map.green = pointer(green_at);
      map.blue = pointer(blue_at);
      program.memory->put(map_at, map);
      answered += program.call(FBIOPUT_VSCREENINFO, var_at) == 0 ? 1 : 0;
      answered += program.call(FBIOPUTCMAP, map_at) == 0 ? 1 : 0;
      answered += program.call(FBIOGET_FSCREENINFO, fix_at) == 0 ? 1 : 0;
      answered += program.call(FBIO_WAITFORVSYNC, 0) == 0 ? 1 : 0;
    }
  });
  EXPECT_EQ(answered, programs * 12 * 4);
  // The state shown is the last one requested, down to the pixels.
  const auto last = get_var();
  const auto fb_state = framebuffer->status().fb_state;
  EXPECT_EQ(fb_state.size, (drmclient::Size{last.xres, last.yres}));
  EXPECT_EQ(fb_state.layout.format.bits_per_pixel, last.bits_per_pixel);
  ASSERT_EQ(change_var([](auto& var) {
              var.xres = var.xres_virtual = 64;
              var.yres = var.yres_virtual = 48;
              var.bits_per_pixel = 32;
              var.rotate = 0;
            }),
            0);
  write_pixel(9, 9, 0x123456);
  EXPECT_EQ(shown(9, 9), 0x123456U);
}
