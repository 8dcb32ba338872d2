#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "fbemu/framebuffer.h"
#include "tests/support/error_of.h"
#include "tests/support/fake_program_pages.h"
#include "tests/support/fake_user_memory.h"
#include "tests/support/reference_pixels.h"
#include "tests/support/stepped_card.h"

namespace unit {

/// Makes the ioctl, waits for its answer, and finishes it on this thread. Returns 0, or the negative errno
/// that the program receives; -ETIMEDOUT without an answer.
[[nodiscard]] inline int result_of(fbemu::Framebuffer& framebuffer, const fbemu::IoctlRequest& request) {
  const auto answer = std::make_shared<std::promise<fbemu::Framebuffer::Finish>>();
  auto finish = answer->get_future();
  const auto result = framebuffer.ioctl(
      request, [answer](fbemu::Framebuffer::Finish later) { answer->set_value(std::move(later)); });
  if (result) return -error_of(*result);
  if (finish.wait_for(timeout) != std::future_status::ready) {
    ADD_FAILURE() << "no answer";
    return -ETIMEDOUT;
  }
  return -error_of(finish.get()());
}

/// A framebuffer of 64x48 pixels with memory for two screens (24576 bytes), and the memory of a program. The
/// card's vblanks come as soon as they are requested.
class FramebufferFixture : public testing::Test {
 protected:
  static constexpr uint64_t var_at = FakeUserMemory::base;
  static constexpr uint64_t fix_at = FakeUserMemory::base + 256;
  static constexpr uint64_t map_at = FakeUserMemory::base + 512;
  static constexpr uint64_t red_at = FakeUserMemory::base + 1024;
  static constexpr uint64_t green_at = FakeUserMemory::base + 2048;
  static constexpr uint64_t blue_at = FakeUserMemory::base + 3072;
  static constexpr uint64_t transp_at = FakeUserMemory::base + 4096;
  static constexpr uint64_t nowhere = 8;

  ~FramebufferFixture() override { stop(); }

  void build(SteppedCard::Vblanks vblanks = SteppedCard::Vblanks::at_once) {
    FaultyOptions headless;
    headless.size = {64, 48};
    card.emplace(headless, vblanks);
    drmclient::Output& output = *card->probe()->front();
    options.mode = output.info().modes.front();
    options.id = "fbemu headless";
    framebuffer.emplace(*card, output, options);
    pages.emplace(framebuffer->memory_bytes(), [this](uint64_t offset, std::span<const std::byte> page) {
      framebuffer->write_back(offset, page);
    });
    pages->write = [this](std::span<const std::byte> bytes) {
      static_cast<void>(framebuffer->write(0, bytes));
    };
  }
  void start(SteppedCard::Vblanks vblanks = SteppedCard::Vblanks::at_once) {
    build(vblanks);
    framebuffer->start(&*pages);
  }
  void stop() {
    if (framebuffer) framebuffer->stop();
  }

  [[nodiscard]] fbemu::IoctlRequest request(uint32_t command, uint64_t argument) const {
    return {command, argument, abi, memory};
  }
  [[nodiscard]] int call(uint32_t command, uint64_t argument) {
    return result_of(*framebuffer, request(command, argument));
  }
  [[nodiscard]] fb_var_screeninfo get_var() {
    EXPECT_EQ(call(FBIOGET_VSCREENINFO, var_at), 0);
    return memory->get<fb_var_screeninfo>(var_at);
  }
  [[nodiscard]] int put_var(const fb_var_screeninfo& var) {
    memory->put(var_at, var);
    return call(FBIOPUT_VSCREENINFO, var_at);
  }
  /// Changes the current var with FBIOPUT_VSCREENINFO.
  [[nodiscard]] int change_var(const std::function<void(fb_var_screeninfo&)>& change) {
    fb_var_screeninfo var = get_var();
    change(var);
    return put_var(var);
  }
  [[nodiscard]] int pan(uint32_t x, uint32_t y, uint32_t vmode = 0) {
    fb_var_screeninfo var{};
    var.xoffset = x;
    var.yoffset = y;
    var.vmode = vmode;
    memory->put(var_at, var);
    return call(FBIOPAN_DISPLAY, var_at);
  }
  void write_pixel(uint32_t x, uint32_t y, uint32_t pixel) {
    const auto bytes = std::as_bytes(std::span(&pixel, 1));
    const uint64_t at = (uint64_t{y} * framebuffer->status().fb_state.layout.virtual_size.width + x) * 4;
    pages->store(at, bytes);
    ASSERT_EQ(framebuffer->write(at, bytes).value_or(0), 4U);
  }
  [[nodiscard]] uint32_t shown(uint32_t x, uint32_t y) {
    const auto capture = framebuffer->capture();
    return capture->pixels.at(size_t{y} * capture->size.width + x);
  }

  fbemu::FramebufferOptions options;
  fbemu::Abi abi = fbemu::Abi::lp64;
  std::shared_ptr<FakeUserMemory> memory = std::make_shared<FakeUserMemory>();
  std::optional<SteppedCard> card;
  std::optional<fbemu::Framebuffer> framebuffer;
  std::optional<FakeProgramPages> pages;
};

/// Returns true if the two vars are equal, byte by byte.
inline bool same(const fb_var_screeninfo& a, const fb_var_screeninfo& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace unit
