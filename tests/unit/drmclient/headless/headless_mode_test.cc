#include <gtest/gtest.h>
#include <sys/epoll.h>

#include "drmclient/headless/headless_card.h"
#include "tests/support/enabled_card.h"

using drmclient::make_mode;
using drmclient::Point;
using drmclient::Power;
using drmclient::Size;
using unit::EnabledCard;

TEST(HeadlessMode, ModeSetShowsBufferFromOrigin) {
  EnabledCard enabled;
  enabled.set_pixel(5, 7, 0x112233);
  ASSERT_TRUE(enabled.output.set_mode(enabled.mode, *enabled.buffer, {4, 6}).has_value());
  EXPECT_EQ(enabled.shown(1, 1), 0x112233U);
}

TEST(HeadlessMode, CaptureHasSizeOfMode) {
  EnabledCard enabled;
  ASSERT_TRUE(enabled.output.set_mode(make_mode({20, 10}), *enabled.buffer, {}).has_value());
  EXPECT_EQ(enabled.output.capture()->size, (Size{20, 10}));
}

TEST(HeadlessMode, ViewportMustLieInsideBuffer) {
  EnabledCard enabled;
  EXPECT_TRUE(enabled.output.set_mode(enabled.mode, *enabled.buffer, {16, 12}).has_value());
  EXPECT_EQ(enabled.output.set_mode(enabled.mode, *enabled.buffer, {17, 12}).error().value(), EINVAL);
  EXPECT_EQ(enabled.output.set_mode(enabled.mode, *enabled.buffer, {16, 13}).error().value(), EINVAL);
  EXPECT_EQ(enabled.output.set_mode(enabled.mode, *enabled.buffer, {0xffff'ffff, 0}).error().value(), EINVAL);
}

TEST(HeadlessMode, ModeLargerThanBufferIsRefused) {
  EnabledCard enabled;
  EXPECT_EQ(enabled.output.set_mode(make_mode({33, 24}), *enabled.buffer, {}).error().value(), EINVAL);
}

TEST(HeadlessMode, ModeBelow8x8IsRefused) {
  EnabledCard enabled;
  EXPECT_EQ(enabled.output.set_mode(make_mode({8, 7}), *enabled.buffer, {}).error().value(), EINVAL);
}

TEST(HeadlessMode, RefusedModeKeepsPicture) {
  EnabledCard enabled;
  enabled.set_pixel(2, 2, 0xabcdef);
  ASSERT_FALSE(enabled.output.set_mode(make_mode({20, 10}), *enabled.buffer, {30, 0}).has_value());
  EXPECT_EQ(enabled.output.capture()->size, (Size{16, 12}));
  EXPECT_EQ(enabled.shown(2, 2), 0xabcdefU);
}

TEST(HeadlessMode, ModeSetTurnsPowerOn) {
  EnabledCard enabled;
  ASSERT_TRUE(enabled.output.set_power(Power::off).has_value());
  ASSERT_TRUE(enabled.output.set_mode(enabled.mode, *enabled.buffer, {}).has_value());
  EXPECT_EQ(enabled.output.power(), Power::on);
}

TEST(HeadlessMode, ModeSetOnStrictDisplayShowsCurrentPixels) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(3, 3, 0x00ff00);
  EXPECT_EQ(enabled.shown(3, 3), 0U);
  ASSERT_TRUE(enabled.output.set_mode(enabled.mode, *enabled.buffer, {}).has_value());
  EXPECT_EQ(enabled.shown(3, 3), 0x00ff00U);
}

TEST(HeadlessHotplug, UnplugGivesEventAndRemovesModes) {
  EnabledCard enabled;
  enabled.card.set_connected(false);
  const auto events = enabled.card.read_events();
  ASSERT_EQ(events->size(), 1U);
  EXPECT_TRUE(std::holds_alternative<drmclient::HotplugEvent>(events->front()));
  const drmclient::OutputInfo& output = enabled.card.probe()->front()->info();
  EXPECT_FALSE(output.connected);
  EXPECT_TRUE(output.modes.empty());
  EXPECT_EQ(output.size_mm, Size{});
}

TEST(HeadlessHotplug, ReplugGivesEventAndRestoresModes) {
  EnabledCard enabled;
  enabled.card.set_connected(false);
  ASSERT_EQ(enabled.card.read_events()->size(), 1U);
  enabled.card.set_connected(true);
  EXPECT_EQ(enabled.card.read_events()->size(), 1U);
  EXPECT_EQ(enabled.card.probe()->front()->info().modes.size(), 1U);
}

TEST(HeadlessHotplug, UnchangedConnectionGivesNoEvent) {
  EnabledCard enabled;
  enabled.card.set_connected(true);
  EXPECT_TRUE(enabled.card.read_events()->empty());
}

TEST(HeadlessHotplug, EventMakesDescriptorReadable) {
  EnabledCard enabled;
  enabled.card.set_connected(false);
  epoll_event event{};
  EXPECT_EQ(::epoll_wait(enabled.card.event_descriptor(), &event, 1, 0), 1);
  static_cast<void>(enabled.card.read_events());
  EXPECT_EQ(::epoll_wait(enabled.card.event_descriptor(), &event, 1, 0), 0);
}
