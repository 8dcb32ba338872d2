// Counts the bytes that requests allocate, to find copies of large objects.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "drmclient/headless/headless_card.h"
#include "fbemu/framebuffer.h"
#include "tests/support/error_of.h"
#include "tests/support/fake_user_memory.h"
#include "tests/support/forwarding_output.h"

namespace {

thread_local uint64_t allocated_bytes = 0;

void* allocate(size_t bytes) {
  allocated_bytes += bytes;
  void* memory = std::malloc(bytes != 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) {
  return allocate(bytes);
}
void* operator new[](size_t bytes) {
  return allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

namespace {

constexpr uint64_t argument = unit::FakeUserMemory::base;
constexpr size_t modes = 2'000;

/// A framebuffer that is not started, on an output with 2000 modes.
class Allocations : public testing::Test {
 protected:
  class OutputOfManyModes final : public unit::ForwardingOutput {
   public:
    explicit OutputOfManyModes(drmclient::Output& inner) : ForwardingOutput(inner), info_(inner.info()) {
      info_.modes.resize(modes, info_.modes.front());
      info_.takes_any_timing = false;
    }
    [[nodiscard]] const drmclient::OutputInfo& info() const override { return info_; }

   private:
    drmclient::OutputInfo info_;
  };
  static fbemu::FramebufferOptions options_of(drmclient::HeadlessCard& card) {
    fbemu::FramebufferOptions options;
    options.mode = card.output().info().modes.front();
    options.depth = 8;
    return options;
  }

  int call(uint32_t command) {
    const auto result = framebuffer.ioctl({command, argument, fbemu::Abi::lp64, memory}, [](auto) {});
    return result ? unit::error_of(*result) : -1;
  }
  uint64_t bytes_of_call(uint32_t command) {
    const uint64_t before = allocated_bytes;
    EXPECT_EQ(call(command), 0);
    return allocated_bytes - before;
  }

  static constexpr uint64_t bytes_of_modes = modes * sizeof(drmclient::Mode);
  drmclient::HeadlessCard card{{}};
  OutputOfManyModes output{card.output()};
  std::shared_ptr<unit::FakeUserMemory> memory = std::make_shared<unit::FakeUserMemory>();
  fbemu::Framebuffer framebuffer{card, output, options_of(card)};
};

}  // namespace

TEST_F(Allocations, CopyOfTheOutputIsCounted) {
  const uint64_t before = allocated_bytes;
  const drmclient::OutputInfo copy = *framebuffer.output();
  EXPECT_EQ(copy.modes.size(), modes);
  EXPECT_GE(allocated_bytes - before, bytes_of_modes);
}

TEST_F(Allocations, PutOfCurrentVarCopiesNoModes) {
  ASSERT_EQ(call(FBIOGET_VSCREENINFO), 0);
  EXPECT_LT(bytes_of_call(FBIOPUT_VSCREENINFO), bytes_of_modes / 10);
}

TEST_F(Allocations, PutWithActivateTestCopiesNoModes) {
  ASSERT_EQ(call(FBIOGET_VSCREENINFO), 0);
  auto var = memory->get<fb_var_screeninfo>(argument);
  var.xres /= 2;
  var.activate = FB_ACTIVATE_TEST;
  memory->put(argument, var);
  EXPECT_LT(bytes_of_call(FBIOPUT_VSCREENINFO), bytes_of_modes / 10);
}

TEST_F(Allocations, GetFixMakesNoPalette) {
  EXPECT_LT(bytes_of_call(FBIOGET_FSCREENINFO), sizeof(fbemu::Palette));
}
