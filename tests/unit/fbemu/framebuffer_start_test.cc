#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include "fbemu/framebuffer.h"
#include "tests/unit/framebuffer_fixture.h"

namespace {

class FramebufferStart : public unit::FramebufferFixture {};

}  // namespace

TEST_F(FramebufferStart, MemoryIsTwiceTheScreenByDefault) {
  build();
  EXPECT_EQ(framebuffer->memory_bytes(), 24'576U);
}

TEST_F(FramebufferStart, MemoryIsAsLargeAsTheVirtualScreenNeeds) {
  options.virtual_size = {100, 300};
  build();
  EXPECT_EQ(framebuffer->memory_bytes(), 122'880U);  // 120000 in whole pages
}

TEST_F(FramebufferStart, MemoryAskedForIsRoundedToPages) {
  options.memory_bytes = 13'000;
  build();
  EXPECT_EQ(framebuffer->memory_bytes(), 16'384U);
}

TEST_F(FramebufferStart, AVirtualScreenThatDoesNotFitIsRefusedByName) {
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

TEST_F(FramebufferStart, MoreMemoryThanSmemLenCanSayIsRefused) {
  options.memory_bytes = 0x1'0000'0000;
  EXPECT_THROW(build(), std::system_error);
}

TEST_F(FramebufferStart, ACardThatRefusesTheModeIsToldByNameOfTheOutput) {
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
