#include "drmclient/headless/headless_card.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "tests/support/enabled_card.h"
#include "tests/support/forwarding_output.h"
#include "tests/support/memory_probe.h"

using drmclient::AccessMode;
using drmclient::HeadlessCard;
using drmclient::HeadlessOptions;
using drmclient::PixelFormat;
using drmclient::Size;

namespace {

HeadlessOptions of_size(Size size) {
  HeadlessOptions options;
  options.size = size;
  return options;
}

class HeadlessCardSize : public testing::TestWithParam<std::pair<Size, bool>> {};

}  // namespace

TEST_P(HeadlessCardSize, CardAcceptsOnlySizesInRange) {
  const auto& [size, good] = GetParam();
  if (good) {
    EXPECT_NO_THROW(HeadlessCard{of_size(size)});
    return;
  }
  try {
    const HeadlessCard card(of_size(size));
    FAIL() << "accepted";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EINVAL);
    EXPECT_NE(std::string(error.what()).find(std::to_string(size.width) + "x" + std::to_string(size.height)),
              std::string::npos)
        << error.what();
  }
}

TEST_P(HeadlessCardSize, BufferAcceptsOnlySizesInRange) {
  const auto& [size, good] = GetParam();
  HeadlessCard card({});
  const auto buffer = card.create_buffer(size, PixelFormat::xrgb8888);
  EXPECT_EQ(buffer.has_value(), good);
  EXPECT_TRUE(good || buffer.error().value() == EINVAL);
}

INSTANTIATE_TEST_SUITE_P(HeadlessCard, HeadlessCardSize,
                         testing::Values(std::pair{Size{8, 8}, true}, std::pair{Size{8192, 8192}, true},
                                         std::pair{Size{7, 8}, false}, std::pair{Size{8, 7}, false},
                                         std::pair{Size{0, 0}, false}, std::pair{Size{8193, 8192}, false},
                                         std::pair{Size{8192, 8193}, false}));

TEST(HeadlessCard, InfoNamesDriverAndNoPath) {
  const HeadlessCard card({});
  EXPECT_EQ(card.info().driver, "headless");
  EXPECT_EQ(card.info().path, "");
  EXPECT_EQ(card.info().max_size, (Size{8192, 8192}));
}

TEST(HeadlessCard, DefaultHasOneConnectedOutput) {
  HeadlessCard card({});
  const auto outputs = card.probe();
  ASSERT_TRUE(outputs.has_value());
  ASSERT_EQ(outputs->size(), 1U);
  const drmclient::OutputInfo& info = outputs->front()->info();
  EXPECT_EQ(info.name, "Virtual-1");
  EXPECT_TRUE(info.connected);
  EXPECT_EQ(info.gamma_entries, 256U);
  EXPECT_EQ(info.custom_modes_up_to, (Size{8192, 8192}));
}

TEST(HeadlessCard, PreferredModeComesFromOptions) {
  HeadlessOptions options = of_size({1366, 768});
  options.refresh_millihertz = 75'000;
  HeadlessCard card(options);
  const auto& modes = card.probe()->front()->info().modes;
  ASSERT_EQ(modes.size(), 1U);
  EXPECT_EQ(modes.front().size(), (Size{1366, 768}));
  EXPECT_NEAR(modes.front().refresh_millihertz(), 75'000, 1);
  EXPECT_TRUE(modes.front().preferred);
}

TEST(HeadlessCard, OutputHas96DotsPerInch) {
  HeadlessCard card(of_size({1920, 1080}));
  EXPECT_EQ(card.probe()->front()->info().size_mm, (Size{508, 285}));
}

TEST(HeadlessCard, FormatsKeepOrderOfOptions) {
  HeadlessOptions options;
  options.formats = {PixelFormat::rgb565, PixelFormat::xrgb8888};
  HeadlessCard card(options);
  EXPECT_EQ(card.probe()->front()->info().formats, options.formats);
  EXPECT_TRUE(card.create_buffer({8, 8}, PixelFormat::rgb565).has_value());
  const auto other = card.create_buffer({8, 8}, PixelFormat::rgb888);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().value(), EINVAL);
}

TEST(HeadlessCard, NewBufferIsZeroed) {
  HeadlessCard card({});
  const auto buffer = std::move(*card.create_buffer({100, 50}, PixelFormat::xrgb8888));
  const auto access = buffer->begin_access(AccessMode::read);
  for (uint32_t y = 0; y < 50; ++y) {
    EXPECT_TRUE(std::ranges::all_of(access->row(y), [](std::byte byte) { return byte == std::byte{0}; }));
  }
}

TEST(HeadlessCard, PitchIsMultipleOf64Bytes) {
  HeadlessOptions options;
  options.formats = {PixelFormat::xrgb8888, PixelFormat::rgb888};
  HeadlessCard card(options);
  EXPECT_EQ((*card.create_buffer({16, 8}, PixelFormat::xrgb8888))->pitch_bytes(), 64U);
  EXPECT_EQ((*card.create_buffer({17, 8}, PixelFormat::xrgb8888))->pitch_bytes(), 128U);
  EXPECT_EQ((*card.create_buffer({21, 8}, PixelFormat::rgb888))->pitch_bytes(), 64U);
  EXPECT_EQ((*card.create_buffer({22, 8}, PixelFormat::rgb888))->pitch_bytes(), 128U);
}

TEST(HeadlessCard, PixelsSurviveAccesses) {
  for (const bool moving : {false, true}) {
    unit::FaultyOptions options;
    options.moving_mappings = moving;
    unit::FaultyCard card(options);
    const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
    buffer->begin_access(AccessMode::write)->row(3)[5] = std::byte{0x42};
    buffer->unmap();
    EXPECT_EQ(buffer->begin_access(AccessMode::read)->row(3)[5], std::byte{0x42});
  }
}

TEST(HeadlessCard, UnmapBetweenAccessesDropsMapping) {
  HeadlessCard card({});
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  const std::byte* address = buffer->begin_access(AccessMode::read)->data();
  ASSERT_TRUE(unit::is_readable(address));
  buffer->unmap();
  EXPECT_FALSE(unit::is_readable(address));
}

TEST(HeadlessCard, UnmapDuringAccessHasNoEffect) {
  HeadlessCard card({});
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  const auto access = buffer->begin_access(AccessMode::read);
  buffer->unmap();
  EXPECT_TRUE(unit::is_readable(access->data()));
}

TEST(HeadlessCard, MovingMappingChangesAddressEachAccess) {
  unit::FaultyOptions options;
  options.moving_mappings = true;
  unit::FaultyCard card(options);
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  const std::byte* last = nullptr;
  for (int i = 0; i < 10; ++i) {
    const auto access = buffer->begin_access(AccessMode::read);
    EXPECT_NE(access->data(), last);
    last = access->data();
  }
}

TEST(HeadlessCard, StaleAddressOfMovingMappingFaults) {
  unit::FaultyOptions options;
  options.moving_mappings = true;
  unit::FaultyCard card(options);
  const auto buffer = std::move(*card.create_buffer({8, 8}, PixelFormat::xrgb8888));
  const std::byte* stale = nullptr;
  {
    const auto access = buffer->begin_access(AccessMode::read);
    stale = access->data();
    EXPECT_TRUE(unit::is_readable(stale));
  }
  EXPECT_FALSE(unit::is_readable(stale)) << "after the access";
  const auto next = buffer->begin_access(AccessMode::read);
  EXPECT_FALSE(unit::is_readable(stale)) << "during the next access";
}

TEST(HeadlessCard, GammaTableOf256EntriesIsAccepted) {
  HeadlessCard card({});
  std::vector<drmclient::GammaEntry> table(256);
  table[255] = {1, 2, 65'535};
  EXPECT_TRUE(card.output().set_gamma(table).has_value());
  EXPECT_EQ(card.output().gamma(), table);
  table.resize(255);
  const auto refused = card.output().set_gamma(table);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().value(), EINVAL);
  EXPECT_EQ(card.output().gamma().size(), 256U) << "a refused table has no effect";
}

TEST(HeadlessCard, PoweredOffOutputShowsBlack) {
  unit::EnabledCard enabled;
  enabled.set_pixel(3, 4, 0xffeedd);
  for (const auto power : {drmclient::Power::standby, drmclient::Power::suspend, drmclient::Power::off}) {
    ASSERT_TRUE(enabled.output.set_power(power).has_value());
    EXPECT_EQ(enabled.output.power(), power);
    EXPECT_EQ(enabled.shown(3, 4), 0U);
    EXPECT_EQ(enabled.output.capture()->size, (Size{16, 12}));
  }
  ASSERT_TRUE(enabled.output.set_power(drmclient::Power::on).has_value());
  EXPECT_EQ(enabled.shown(3, 4), 0xffeeddU);
}

TEST(HeadlessCard, OutputOfOtherCardTypeIsRefused) {
  HeadlessCard card({});
  const auto buffer = std::move(*card.create_buffer({16, 12}, PixelFormat::xrgb8888));
  unit::ForwardingOutput foreign(card.output());
  EXPECT_EQ(card.present({foreign, *buffer, {}, {}}).error().value(), EINVAL);
}

TEST(HeadlessCard, ProbeReturnsSameOutputs) {
  HeadlessOptions options;
  options.outputs = 2;
  HeadlessCard card(options);
  const std::vector<drmclient::Output*> outputs{&card.output(1), &card.output(2)};
  EXPECT_EQ(card.probe().value(), outputs);
  EXPECT_EQ(card.probe().value(), outputs);
}

TEST(HeadlessCard, OutputWithoutModeReturnsEinval) {
  HeadlessCard card({});
  const auto buffer = std::move(*card.create_buffer({16, 12}, PixelFormat::xrgb8888));
  EXPECT_EQ(card.present({card.output(), *buffer, {}, {}}).error().value(), EINVAL);
  EXPECT_EQ(card.output().capture().error().value(), EINVAL);
  EXPECT_EQ(card.output().request_vblank().error().value(), EINVAL);
}
