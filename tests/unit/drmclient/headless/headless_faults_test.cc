#include <gtest/gtest.h>

#include "drmclient/headless/headless_card.h"
#include "tests/support/lit_card.h"

using drmclient::AccessMode;
using drmclient::make_mode;
using drmclient::Rect;
using unit::LitCard;

TEST(HeadlessFaults, RefusedAccessesGiveTheirErrnoUntilSwitchedOff) {
  LitCard lit;
  lit.card.refuse_accesses(ENODEV);
  EXPECT_EQ(lit.buffer->begin_access(AccessMode::write).error().value(), ENODEV);
  lit.card.refuse_accesses(0);
  EXPECT_TRUE(lit.buffer->begin_access(AccessMode::write).has_value());
}

TEST(HeadlessFaults, RefusedPresentsGiveTheirErrnoAndChangeNothing) {
  LitCard lit(unit::strict_display());
  lit.set_pixel(0, 0, 0x123456);
  const Rect all = Rect::of({32, 24});
  lit.card.refuse_presents(EBUSY);
  EXPECT_EQ(lit.card.present(LitCard::output, *lit.buffer, {}, {&all, 1}).error().value(), EBUSY);
  EXPECT_EQ(lit.shown(0, 0), 0U);
  lit.card.refuse_presents(0);
  EXPECT_TRUE(lit.card.present(LitCard::output, *lit.buffer, {}, {&all, 1}).has_value());
  EXPECT_EQ(lit.shown(0, 0), 0x123456U);
}

TEST(HeadlessFaults, RefusedModesGiveTheirErrnoAndChangeNothing) {
  LitCard lit;
  lit.card.refuse_modes(EACCES);
  EXPECT_EQ(lit.card.set_mode(LitCard::output, make_mode({20, 20}), *lit.buffer, {}).error().value(), EACCES);
  EXPECT_EQ(lit.card.capture(LitCard::output)->size, (drmclient::Size{16, 12}));
  lit.card.refuse_modes(0);
  EXPECT_TRUE(lit.card.set_mode(LitCard::output, make_mode({20, 20}), *lit.buffer, {}).has_value());
}

TEST(HeadlessFaults, AStrictDisplayThatCannotReadTheBufferRefusesThePresentAndKeepsItsPicture) {
  LitCard lit(unit::strict_display());
  lit.set_pixel(0, 0, 0x123456);
  const Rect all = Rect::of({32, 24});
  lit.card.refuse_accesses(EIO);
  EXPECT_EQ(lit.card.present(LitCard::output, *lit.buffer, {}, {&all, 1}).error().value(), EIO);
  EXPECT_EQ(lit.shown(0, 0), 0U);
}

TEST(HeadlessFaults, AStrictDisplayThatCannotReadTheBufferRefusesTheModeAndKeepsIts) {
  LitCard lit(unit::strict_display());
  lit.card.refuse_accesses(EIO);
  EXPECT_EQ(lit.card.set_mode(LitCard::output, make_mode({20, 20}), *lit.buffer, {}).error().value(), EIO);
  EXPECT_EQ(lit.card.capture(LitCard::output)->size, (drmclient::Size{16, 12}));
}
