#include <gtest/gtest.h>
#include <sys/epoll.h>

#include "drmclient/headless/headless_card.h"
#include "tests/support/lit_card.h"

using drmclient::HeadlessCard;
using drmclient::make_mode;
using drmclient::Point;
using drmclient::Power;
using drmclient::Size;
using unit::LitCard;

TEST(HeadlessMode, ShowsTheBufferFromTheOrigin) {
  LitCard lit;
  lit.set_pixel(5, 7, 0x112233);
  ASSERT_TRUE(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {4, 6}).has_value());
  EXPECT_EQ(lit.shown(1, 1), 0x112233U);
}

TEST(HeadlessMode, CapturesHaveTheSizeOfTheMode) {
  LitCard lit;
  ASSERT_TRUE(lit.card.set_mode(LitCard::output, make_mode({20, 10}), *lit.buffer, {}).has_value());
  EXPECT_EQ(lit.card.capture(LitCard::output)->size, (Size{20, 10}));
}

TEST(HeadlessMode, ThePartShownMayReachTheEdgeOfTheBufferAndNoFurther) {
  LitCard lit;
  EXPECT_TRUE(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {16, 12}).has_value());
  EXPECT_EQ(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {17, 12}).error().value(), EINVAL);
  EXPECT_EQ(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {16, 13}).error().value(), EINVAL);
  EXPECT_EQ(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {0xffff'ffff, 0}).error().value(),
            EINVAL);
}

TEST(HeadlessMode, ModesLargerThanTheBufferAreRefused) {
  LitCard lit;
  EXPECT_EQ(lit.card.set_mode(LitCard::output, make_mode({33, 24}), *lit.buffer, {}).error().value(), EINVAL);
}

TEST(HeadlessMode, ModesBelow8x8AreRefused) {
  LitCard lit;
  EXPECT_EQ(lit.card.set_mode(LitCard::output, make_mode({8, 7}), *lit.buffer, {}).error().value(), EINVAL);
}

TEST(HeadlessMode, ARefusedModeLeavesThePictureAsItWas) {
  LitCard lit;
  lit.set_pixel(2, 2, 0xabcdef);
  ASSERT_FALSE(lit.card.set_mode(LitCard::output, make_mode({20, 10}), *lit.buffer, {30, 0}).has_value());
  EXPECT_EQ(lit.card.capture(LitCard::output)->size, (Size{16, 12}));
  EXPECT_EQ(lit.shown(2, 2), 0xabcdefU);
}

TEST(HeadlessMode, SwitchesThePowerOn) {
  LitCard lit;
  ASSERT_TRUE(lit.card.set_power(LitCard::output, Power::off).has_value());
  ASSERT_TRUE(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {}).has_value());
  EXPECT_EQ(lit.card.power(), Power::on);
}

TEST(HeadlessMode, OnAStrictDisplayTheBufferIsShownAsItIsAtThatMoment) {
  LitCard lit(unit::strict_display());
  lit.set_pixel(3, 3, 0x00ff00);
  EXPECT_EQ(lit.shown(3, 3), 0U);
  ASSERT_TRUE(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {}).has_value());
  EXPECT_EQ(lit.shown(3, 3), 0x00ff00U);
}

TEST(HeadlessHotplug, PullingTheCableIsAnEventAndTakesTheModes) {
  LitCard lit;
  lit.card.set_connected(false);
  const auto events = lit.card.read_events();
  ASSERT_EQ(events->size(), 1U);
  EXPECT_TRUE(std::holds_alternative<drmclient::HotplugEvent>(events->front()));
  const auto output = lit.card.probe()->front();
  EXPECT_FALSE(output.connected);
  EXPECT_TRUE(output.modes.empty());
  EXPECT_EQ(output.size_mm, Size{});
}

TEST(HeadlessHotplug, PluggingItBackInIsAnEventAndBringsTheModesBack) {
  LitCard lit;
  lit.card.set_connected(false);
  ASSERT_EQ(lit.card.read_events()->size(), 1U);
  lit.card.set_connected(true);
  EXPECT_EQ(lit.card.read_events()->size(), 1U);
  EXPECT_EQ(lit.card.probe()->front().modes.size(), 1U);
}

TEST(HeadlessHotplug, WhatDoesNotChangeIsNoEvent) {
  LitCard lit;
  lit.card.set_connected(true);
  EXPECT_TRUE(lit.card.read_events()->empty());
}

TEST(HeadlessHotplug, AnEventMakesTheDescriptorReadable) {
  LitCard lit;
  lit.card.set_connected(false);
  epoll_event event{};
  EXPECT_EQ(::epoll_wait(lit.card.event_descriptor(), &event, 1, 0), 1);
  static_cast<void>(lit.card.read_events());
  EXPECT_EQ(::epoll_wait(lit.card.event_descriptor(), &event, 1, 0), 0);
}
