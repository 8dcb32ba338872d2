#include <gtest/gtest.h>

#include "fbemu/output/presenter.h"
#include "tests/support/captured_log.h"
#include "tests/support/presenter_fixture.h"

using drmclient::Power;

namespace {

/// The log and the status under errors that recur at each frame.
class PresenterErrors : public unit::PresenterFixture {
 protected:
  PresenterErrors() { clock = &manual_clock; }
  ~PresenterErrors() override { stop(); }

  [[nodiscard]] bool status_becomes(int error) {
    return unit::eventually([&] { return presenter->status().error.value() == error; });
  }

  unit::CapturedLog log;
};

}  // namespace

TEST_F(PresenterErrors, FailedCleanIsInStatusUntilOneWorks) {
  start();
  presenter->set_writers(1);
  pages->clean_error = EIO;
  tick();
  EXPECT_TRUE(status_becomes(EIO));
  pages->clean_error = 0;
  tick();
  EXPECT_TRUE(status_becomes(0));
}

TEST_F(PresenterErrors, FailedCleansAreLoggedOnceAndSoIsTheirEnd) {
  start();
  presenter->set_writers(1);
  pages->clean_error = EIO;
  ticks(5);
  EXPECT_EQ(log.count("cannot collect what programs changed"), 1);
  pages->clean_error = 0;
  ticks(5);
  EXPECT_EQ(log.count("is collected again"), 1);
}

TEST_F(PresenterErrors, FailedLiveReadIsInStatusUntilOneWorks) {
  start();
  draw_everything(3);
  pages->read_error = EIO;
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {16, 64};
  ASSERT_EQ(show(panned), 0);
  EXPECT_TRUE(status_becomes(EIO));
  pages->read_error = 0;
  tick();
  EXPECT_TRUE(status_becomes(0));
}

TEST_F(PresenterErrors, PixelsThatCouldNotBeReadLiveAreShownByNextVblank) {
  start();
  draw_everything(3);
  pages->read_error = EIO;
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {16, 64};
  ASSERT_EQ(show(panned), 0);
  ASSERT_NE(screen(), program_picture(panned));
  pages->read_error = 0;
  // Nobody waits for this vblank, and nothing was drawn since.
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return screen() == program_picture(panned); }));
}

TEST_F(PresenterErrors, FailedLiveReadsAreLoggedOnceAndSoIsTheirEnd) {
  start();
  pages->read_error = EIO;
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {16, 64};
  ASSERT_EQ(show(panned), 0);
  ticks(5);
  EXPECT_EQ(log.count("their pages cannot be read"), 1);
  pages->read_error = 0;
  ticks(5);
  EXPECT_EQ(log.count("shows the pages of programs again"), 1);
}

TEST_F(PresenterErrors, FailedPowerChangesAreLoggedOnceHoweverManyProgramAsksFor) {
  start();
  card->refuse_powers = EBUSY;
  for (int i = 0; i < 20; ++i) {
    presenter->set_power(Power::off);
    flush();
  }
  EXPECT_EQ(log.count("cannot change the power"), 1);
}

TEST_F(PresenterErrors, PowerChangesThatFailNowAndThenAreLoggedOnceInQuietTime) {
  start();
  for (int i = 0; i < 20; ++i) {
    card->refuse_powers = EBUSY;
    presenter->set_power(Power::off);
    flush();
    card->refuse_powers = 0;
    presenter->set_power(Power::off);
    flush();
    presenter->set_power(Power::on);
    flush();
  }
  EXPECT_EQ(log.count("cannot change the power"), 1);
  manual_clock.advance(std::chrono::minutes(1));
  card->refuse_powers = EBUSY;
  presenter->set_power(Power::off);
  flush();
  EXPECT_EQ(log.count("cannot change the power"), 2);
}
