#include <gtest/gtest.h>

#include <future>

#include "fbemu/output/presenter.h"
#include "tests/support/captured_log.h"
#include "tests/support/presenter_fixture.h"

namespace {

/// A presenter whose card throws std::bad_alloc when a test says so.
class PresenterExceptions : public unit::PresenterFixture {
 protected:
  ~PresenterExceptions() override { stop(); }

  unit::CapturedLog log;
};

}  // namespace

TEST_F(PresenterExceptions, WaitForVblankInTickWithoutMemoryReturnsEnomem) {
  start();
  write(3, 5, 0x123456);
  card->no_memory_to_present = true;
  std::promise<int> done;
  presenter->at_vblank([&](int error) { done.set_value(error); });
  ASSERT_TRUE(card->step());
  EXPECT_EQ(done.get_future().get(), ENOMEM);
  EXPECT_TRUE(unit::eventually([&] { return presenter->status().error.value() == ENOMEM; }));
}

TEST_F(PresenterExceptions, FlushWithoutMemoryReturnsEnomem) {
  start();
  write(3, 5, 0x123456);
  card->no_memory_to_present = true;
  std::promise<int> done;
  presenter->flush([&](int error) { done.set_value(error); });
  EXPECT_EQ(done.get_future().get(), ENOMEM);
}

TEST_F(PresenterExceptions, CaptureWithoutMemoryReturnsEnomem) {
  start();
  write(3, 5, 0x123456);
  card->no_memory_to_present = true;
  EXPECT_EQ(presenter->capture().error().value(), ENOMEM);
}

TEST_F(PresenterExceptions, WaitForVblankWithoutMemoryToAskForOneCompletes) {
  start();
  card->no_memory_to_ask = true;
  std::promise<int> done;
  presenter->at_vblank([&](int error) { done.set_value(error); });
  EXPECT_EQ(done.get_future().get(), 0);
}

TEST_F(PresenterExceptions, DamageOfFailedTickIsShownByNext) {
  start();
  write(3, 5, 0x123456);
  card->no_memory_to_present = true;
  std::promise<int> done;
  presenter->at_vblank([&](int error) { done.set_value(error); });
  ASSERT_TRUE(card->step());
  ASSERT_EQ(done.get_future().get(), ENOMEM);
  card->no_memory_to_present = false;
  tick();
  EXPECT_EQ(shown(3, 5), 0x123456U);
  EXPECT_TRUE(unit::eventually([&] { return !presenter->status().error; }));
}

TEST_F(PresenterExceptions, StateAppliedBeforeFailureCompletesAsShown) {
  start();
  draw_everything(5);
  pages->write_all_back();
  card->no_memory_to_present = true;
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {16, 64};
  EXPECT_EQ(show(panned), 0);
  card->no_memory_to_present = false;
  tick();
  EXPECT_EQ(screen(), program_picture(panned));
}

TEST_F(PresenterExceptions, StateWithoutMemoryForModeReturnsEnomem) {
  start();
  draw_everything(5);
  pages->write_all_back();
  card->no_memory_for_buffers = true;
  fbemu::FramebufferState other = fb_state;
  other.mode = drmclient::make_mode({32, 24});
  other.size = {32, 24};
  EXPECT_EQ(show(other), ENOMEM);
  card->no_memory_for_buffers = false;
  tick();
  EXPECT_EQ(presenter->status().mode, fb_state.mode);
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterExceptions, WriterOfFailedTickIsShown) {
  shared = true;
  start(Vblanks::at_once);
  card->no_memory_for_buffers = true;
  presenter->set_writers(1);
  ASSERT_TRUE(unit::eventually([&] { return presenter->status().error.value() == ENOMEM; }));
  EXPECT_FALSE(presenter->status().enabled);
  card->no_memory_for_buffers = false;
  EXPECT_TRUE(unit::eventually([&] { return presenter->status().enabled; }));
}

TEST_F(PresenterExceptions, FailureOfEachTickIsLoggedOnce) {
  start(Vblanks::at_once);
  card->no_memory_to_present = true;
  write(3, 5, 0x123456);
  ticks(5);
  EXPECT_EQ(log.count("cannot show what programs draw"), 1);
}
