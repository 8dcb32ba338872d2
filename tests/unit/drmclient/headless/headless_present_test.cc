#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <vector>

#include "drmclient/headless/headless_card.h"
#include "tests/support/enabled_card.h"
#include "tests/support/reference_pixels.h"

using drmclient::Card;
using drmclient::PixelFormat;
using drmclient::Point;
using drmclient::Rect;
using unit::EnabledCard;

namespace {

base::Result<void> present(EnabledCard& enabled, Point origin, const std::vector<Rect>& damage) {
  return enabled.card.present({enabled.output, *enabled.buffer, origin, damage});
}

}  // namespace

TEST(HeadlessPresent, OrdinaryDisplayShowsBufferWithoutPresent) {
  EnabledCard enabled;
  enabled.set_pixel(1, 1, 0x123456);
  EXPECT_EQ(enabled.shown(1, 1), 0x123456U);
}

TEST(HeadlessPresent, StrictDisplayShowsOnlyPresentedRectangles) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(1, 1, 0x111111);
  enabled.set_pixel(5, 5, 0x555555);
  ASSERT_TRUE(present(enabled, {}, {{1, 1, 2, 2}}).has_value());
  EXPECT_EQ(enabled.shown(1, 1), 0x111111U);
  EXPECT_EQ(enabled.shown(5, 5), 0U);
}

TEST(HeadlessPresent, StrictDisplayWithoutDamageIsUnchanged) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(1, 1, 0x111111);
  ASSERT_TRUE(present(enabled, {}, {}).has_value());
  EXPECT_EQ(enabled.shown(1, 1), 0U);
}

TEST(HeadlessPresent, NewOriginShowsWholeViewport) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(20, 20, 0x777777);
  ASSERT_TRUE(present(enabled, {16, 12}, {}).has_value());
  EXPECT_EQ(enabled.shown(4, 8), 0x777777U);
}

TEST(HeadlessPresent, NewBufferShowsWholeViewport) {
  EnabledCard enabled(unit::strict_display());
  const auto other = std::move(*enabled.card.create_buffer({16, 12}, PixelFormat::xrgb8888));
  EnabledCard::set_pixel(*other, 15, 11, 0x999999);
  ASSERT_TRUE(enabled.card.present({enabled.output, *other, {}, {}}).has_value());
  EXPECT_EQ(enabled.shown(15, 11), 0x999999U);
}

TEST(HeadlessPresent, DamageOutsideViewportSucceeds) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(0, 0, 0x101010);
  EXPECT_TRUE(present(enabled, {}, {{20, 20, 32, 24}}).has_value());
  EXPECT_EQ(enabled.shown(0, 0), 0U);
}

TEST(HeadlessPresent, DamageAcrossViewportEdgeIsClipped) {
  EnabledCard enabled(unit::strict_display());
  ASSERT_TRUE(present(enabled, {8, 6}, {}).has_value());
  enabled.set_pixel(8, 6, 0x0a0b0c);
  enabled.set_pixel(23, 17, 0x0d0e0f);
  ASSERT_TRUE(present(enabled, {8, 6}, {{0, 0, 32, 24}}).has_value());
  EXPECT_EQ(enabled.shown(0, 0), 0x0a0b0cU);
  EXPECT_EQ(enabled.shown(15, 11), 0x0d0e0fU);
}

TEST(HeadlessPresent, Present256RectanglesSucceeds) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(3, 3, 0x333333);
  std::vector<Rect> damage(Card::max_damage_rects, Rect{0, 0, 1, 1});
  damage.back() = {3, 3, 4, 4};
  ASSERT_EQ(damage.size(), 256U);
  EXPECT_TRUE(present(enabled, {}, damage).has_value());
  EXPECT_EQ(enabled.shown(3, 3), 0x333333U);
}

TEST(HeadlessPresent, Present257RectanglesFailsWithoutEffect) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(0, 0, 0x333333);
  const auto refused = present(enabled, {1, 1}, std::vector<Rect>(257, Rect{0, 0, 1, 1}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().value(), EINVAL);
  EXPECT_EQ(enabled.shown(0, 0), 0U);
}

TEST(HeadlessPresent, RectangleOutsideBufferFailsWithoutEffect) {
  constexpr std::array bad{Rect{-1, 0, 5, 5}, Rect{0, -1, 5, 5},    Rect{0, 0, 33, 5},
                           Rect{0, 0, 5, 25}, Rect{40, 40, 50, 50}, Rect{5, 5, 5, 9},
                           Rect{5, 5, 9, 5},  Rect{9, 9, 5, 5},     Rect{-2147483647, 0, 2147483647, 5}};
  for (const Rect& rect : bad) {
    EnabledCard enabled(unit::strict_display());
    enabled.set_pixel(0, 0, 0x444444);
    const auto refused = present(enabled, {}, {{0, 0, 1, 1}, rect});
    ASSERT_FALSE(refused.has_value()) << rect.x1 << "," << rect.y1;
    EXPECT_EQ(refused.error().value(), EINVAL);
    EXPECT_EQ(enabled.shown(0, 0), 0U) << "the valid rectangle before it is not shown either";
  }
}

TEST(HeadlessPresent, OriginOutsideBufferFailsWithoutEffect) {
  EnabledCard enabled;
  enabled.set_pixel(0, 0, 0x123123);
  EXPECT_EQ(present(enabled, {17, 0}, {}).error().value(), EINVAL);
  EXPECT_EQ(present(enabled, {0, 13}, {}).error().value(), EINVAL);
  EXPECT_EQ(enabled.shown(0, 0), 0x123123U);
}

RC_GTEST_PROP(HeadlessPresent, StrictDisplayChangesOnlyInsideDamage, ()) {
  EnabledCard enabled(unit::strict_display());
  const Point origin{*rc::gen::inRange(0U, 17U), *rc::gen::inRange(0U, 13U)};
  RC_ASSERT(present(enabled, origin, {}).has_value());
  const auto before = enabled.output.capture()->pixels;
  for (uint32_t y = 0; y < 24; ++y) {
    for (uint32_t x = 0; x < 32; ++x) enabled.set_pixel(x, y, 0x010000 + y * 256 + x);
  }
  std::vector<Rect> damage;
  const auto count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    const auto x = *rc::gen::inRange(0, 32);
    const auto y = *rc::gen::inRange(0, 24);
    damage.push_back({x, y, *rc::gen::inRange(x + 1, 33), *rc::gen::inRange(y + 1, 25)});
  }
  RC_ASSERT(present(enabled, origin, damage).has_value());
  const auto after = enabled.output.capture()->pixels;
  for (uint32_t y = 0; y < 12; ++y) {
    for (uint32_t x = 0; x < 16; ++x) {
      const auto buffer_x = static_cast<int>(origin.x + x);
      const auto buffer_y = static_cast<int>(origin.y + y);
      bool damaged = false;
      for (const Rect& rect : damage) {
        damaged = damaged ||
                  (rect.x1 <= buffer_x && buffer_x < rect.x2 && rect.y1 <= buffer_y && buffer_y < rect.y2);
      }
      const uint32_t fresh = 0x010000 + (origin.y + y) * 256 + origin.x + x;
      RC_ASSERT(after[y * 16 + x] == (damaged ? fresh : before[y * 16 + x]));
    }
  }
}
