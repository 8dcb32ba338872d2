#include <gtest/gtest.h>

#include "drmclient/headless/headless_card.h"
#include "tests/support/enabled_card.h"

using drmclient::AccessMode;
using drmclient::make_mode;
using drmclient::Rect;
using unit::EnabledCard;

TEST(FaultyCard, AccessFaultGivesErrnoUntilCleared) {
  EnabledCard enabled;
  enabled.card.refuse_accesses(ENODEV);
  EXPECT_EQ(enabled.buffer->begin_access(AccessMode::write).error().value(), ENODEV);
  enabled.card.refuse_accesses(0);
  EXPECT_TRUE(enabled.buffer->begin_access(AccessMode::write).has_value());
}

TEST(FaultyCard, PresentFaultGivesErrnoWithoutEffect) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(0, 0, 0x123456);
  const Rect all = Rect::of({32, 24});
  enabled.card.refuse_presents(EBUSY);
  EXPECT_EQ(enabled.card.present({enabled.output, *enabled.buffer, {}, {&all, 1}}).error().value(), EBUSY);
  EXPECT_EQ(enabled.shown(0, 0), 0U);
  enabled.card.refuse_presents(0);
  EXPECT_TRUE(enabled.card.present({enabled.output, *enabled.buffer, {}, {&all, 1}}).has_value());
  EXPECT_EQ(enabled.shown(0, 0), 0x123456U);
}

TEST(FaultyCard, ModeFaultGivesErrnoWithoutEffect) {
  EnabledCard enabled;
  enabled.card.refuse_modes(EACCES);
  EXPECT_EQ(enabled.output.set_mode(make_mode({20, 20}), *enabled.buffer, {}).error().value(), EACCES);
  EXPECT_EQ(enabled.output.capture()->size, (drmclient::Size{16, 12}));
  enabled.card.refuse_modes(0);
  EXPECT_TRUE(enabled.output.set_mode(make_mode({20, 20}), *enabled.buffer, {}).has_value());
}

TEST(FaultyCard, StrictDisplayKeepsPictureIfPresentCannotRead) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(0, 0, 0x123456);
  const Rect all = Rect::of({32, 24});
  enabled.card.refuse_accesses(EIO);
  EXPECT_EQ(enabled.card.present({enabled.output, *enabled.buffer, {}, {&all, 1}}).error().value(), EIO);
  EXPECT_EQ(enabled.shown(0, 0), 0U);
}

TEST(FaultyCard, StrictDisplayKeepsModeIfModeSetCannotRead) {
  EnabledCard enabled(unit::strict_display());
  enabled.card.refuse_accesses(EIO);
  EXPECT_EQ(enabled.output.set_mode(make_mode({20, 20}), *enabled.buffer, {}).error().value(), EIO);
  EXPECT_EQ(enabled.output.capture()->size, (drmclient::Size{16, 12}));
}
