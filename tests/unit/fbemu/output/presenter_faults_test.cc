#include <gtest/gtest.h>

#include <system_error>

#include "fbemu/output/presenter.h"
#include "tests/support/presenter_fixture.h"

namespace {

class PresenterFaults : public unit::PresenterFixture {};

}  // namespace

TEST_F(PresenterFaults, RefusedModeAtStartNamesModeAndOutput) {
  build(Vblanks::stepped);
  card->refuse_modes = EACCES;
  try {
    presenter->start(fb_state, &*pages);
    FAIL() << "started";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EACCES);
    EXPECT_NE(std::string(error.what()).find("64x64"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("Virtual-1"), std::string::npos) << error.what();
  }
}

TEST_F(PresenterFaults, RefusedBufferAtStartThrows) {
  build(Vblanks::stepped);
  card->refuse_buffers = ENOMEM;
  try {
    presenter->start(fb_state, &*pages);
    FAIL() << "started";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOMEM);
  }
}

TEST_F(PresenterFaults, RefusedPresentIsTriedAgainAtEachVblank) {
  start();
  card->refuse_presents = EBUSY;
  write(3, 5, 0x123456);
  ticks(3);
  EXPECT_EQ(statistics.failed_presents, 3U);
  EXPECT_EQ(statistics.presents, 0U);
}

TEST_F(PresenterFaults, RefusedPresentIsInStatusUntilOneWorks) {
  start();
  card->refuse_presents = EBUSY;
  write(3, 5, 0x123456);
  tick();
  EXPECT_TRUE(unit::eventually([&] { return presenter->status().error.value() == EBUSY; }));
  card->refuse_presents = 0;
  tick();
  EXPECT_TRUE(unit::eventually([&] { return !presenter->status().error; }));
}

TEST_F(PresenterFaults, NoDamageIsLostWhilePresentsAreRefused) {
  start();
  presenter->set_writers(1);
  card->refuse_presents = EBUSY;
  write(1, 1, 0x111111);
  tick();
  draw(20, 30, 0x222222);
  tick();
  write(63, 63, 0x333333);
  flush();
  card->refuse_presents = 0;
  tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterFaults, NoDamageIsLostWhileBufferCannotBeReached) {
  start();
  presenter->set_writers(1);
  card->refuse_accesses = ENOMEM;
  tick();
  write(1, 1, 0x111111);
  draw(20, 30, 0x222222);
  tick();
  EXPECT_TRUE(unit::eventually([&] { return presenter->status().error.value() == ENOMEM; }));
  card->refuse_accesses = 0;
  tick();
  tick();
  EXPECT_EQ(screen(), program_picture());
  EXPECT_TRUE(unit::eventually([&] { return !presenter->status().error; }));
}

TEST_F(PresenterFaults, WaitCompletesWithRefusedPresent) {
  start();
  card->refuse_presents = EIO;
  write(1, 1, 1);
  tick();
  flush();
}

TEST_F(PresenterFaults, RefusedModeReturnsErrnoAndKeepsState) {
  start();
  draw_everything(7);
  pages->write_all_back();
  tick();
  card->refuse_modes = EINVAL;
  fbemu::FramebufferState other = fb_state;
  other.mode = drmclient::make_mode({32, 24});
  EXPECT_EQ(show(other), EINVAL);
  EXPECT_EQ(presenter->status().mode, fb_state.mode);
  EXPECT_EQ(screen(), program_picture());
  EXPECT_EQ(statistics.mode_sets, 1U);
}

TEST_F(PresenterFaults, AfterRefusedModeDamageIsShownInOldState) {
  start();
  card->refuse_modes = EBUSY;
  fbemu::FramebufferState other = fb_state;
  other.mode = drmclient::make_mode({32, 24});
  ASSERT_EQ(show(other), EBUSY);
  write(60, 60, 0x606060);
  tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterFaults, RefusedModeWithDifferentOffsetDoesNotPan) {
  start();
  draw_everything(8);
  pages->write_all_back();
  tick();
  card->refuse_modes = EBUSY;
  fbemu::FramebufferState other = fb_state;
  other.mode = drmclient::make_mode({32, 24});
  other.offset = {10, 10};
  ASSERT_EQ(show(other), EBUSY);
  write(0, 0, 0x1);
  tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterFaults, RefusedBufferForNewModeKeepsState) {
  start();
  card->refuse_buffers = ENOSPC;
  fbemu::FramebufferState other = fb_state;
  other.mode = drmclient::make_mode({32, 24});
  EXPECT_EQ(show(other), ENOSPC);
  EXPECT_EQ(presenter->status().mode, fb_state.mode);
}

TEST_F(PresenterFaults, RefusedPowerChangeLeavesPowerAndNextOneWorks) {
  start();
  write(1, 1, 0x123123);
  tick();
  card->refuse_powers = EBUSY;
  presenter->set_power(drmclient::Power::off);
  flush();
  EXPECT_EQ(presenter->status().power, drmclient::Power::on);
  EXPECT_EQ(shown(1, 1), 0x123123U);
  card->refuse_powers = 0;
  presenter->set_power(drmclient::Power::off);
  flush();
  EXPECT_EQ(presenter->status().power, drmclient::Power::off);
}

TEST_F(PresenterFaults, WithoutVblankWaitsComplete) {
  start();
  card->refuse_vblanks = ENODEV;
  std::promise<int> done;
  presenter->at_vblank([&](int error) { done.set_value(error); });
  EXPECT_EQ(done.get_future().get(), 0);
}

TEST_F(PresenterFaults, UnreadablePagesShowBackingStore) {
  build(Vblanks::stepped);
  draw_everything(9);
  pages->write_all_back();
  pages->read_error = ENOTCONN;
  presenter->start(fb_state, &*pages);
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterFaults, PagesThatCannotBeCleanedAreReadLive) {
  start();
  presenter->set_writers(1);
  pages->clean_error = EIO;
  draw(5, 5, 0x555555);
  tick();
  EXPECT_EQ(shown(5, 5), 0x555555U);
  draw(6, 6, 0x666666);
  tick();
  EXPECT_EQ(shown(6, 6), 0x666666U);
}

TEST_F(PresenterFaults, PagesThatCannotBeCleanedForCaptureAreReadLive) {
  start();
  presenter->set_writers(1);
  pages->clean_error = EIO;
  draw(5, 5, 0x555555);
  EXPECT_EQ(presenter->capture()->pixels, program_picture());
}

TEST_F(PresenterFaults, PagesThatCouldNotBeCleanedAreReadOnceMoreAfterLastClose) {
  start();
  presenter->set_writers(1);
  pages->clean_error = EIO;
  tick();
  draw(5, 5, 0x555555);
  presenter->set_writers(0);
  // Nobody waits for this vblank.
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return shown(5, 5) == 0x555555U; }));
  EXPECT_TRUE(unit::eventually([&] { return !presenter->status().error && !card->wants_vblank(); }));
}

TEST_F(PresenterFaults, WithoutPagesWrittenDamageIsShown) {
  start_without_pages();
  presenter->set_writers(1);
  write(5, 5, 0x555555);
  tick();
  EXPECT_EQ(shown(5, 5), 0x555555U);
}
