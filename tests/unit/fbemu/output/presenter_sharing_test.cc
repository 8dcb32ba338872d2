#include <gtest/gtest.h>

#include "tests/support/eventually.h"
#include "tests/support/fake_virtual_terminals.h"
#include "tests/support/presenter_fixture.h"

using fbemu::OnClose;
using fbemu::Writers;
using unit::eventually;
using unit::OnTerminal;
using unit::writers_of;

namespace {

/// A presenter on a card that is shared with the kernel's console. The program is on VT 1, which is active.
class PresenterSharing : public unit::PresenterFixture {
 protected:
  ~PresenterSharing() override { stop(); }

  void begin() {
    shared = true;
    options.vts = &terminals;
    start(Vblanks::at_once);
  }
  void open(unsigned terminal = 1) {
    presenter->set_writers(writers_of({std::make_shared<OnTerminal>(terminal)}));
  }
  void close(bool wrote_only = false) { presenter->set_writers(Writers{0, nullptr, wrote_only}); }
  [[nodiscard]] bool becomes_enabled(bool enabled = true) {
    return eventually([&] { return presenter->status().enabled == enabled; });
  }
  [[nodiscard]] bool shows(uint32_t x, uint32_t y, uint32_t pixel) {
    return eventually([&] { return presenter->status().enabled && shown(x, y) == pixel; });
  }
  void open_and_draw(uint32_t pixel) {
    open();
    ASSERT_TRUE(becomes_enabled());
    write(3, 5, pixel);
    ASSERT_TRUE(shows(3, 5, pixel));
  }

  unit::FakeVirtualTerminals terminals{1};
};

}  // namespace

TEST_F(PresenterSharing, NothingIsShownBeforeFirstOpen) {
  begin();
  ticks(2);
  EXPECT_FALSE(presenter->status().enabled);
}

TEST_F(PresenterSharing, OtherVtReleasesOutputAndPictureReturns) {
  begin();
  open_and_draw(0x112233);
  terminals.change_to(2);
  EXPECT_TRUE(becomes_enabled(false));
  EXPECT_FALSE(presenter->status().on_active_vt);
  write(7, 7, 0x445566);
  terminals.change_to(1);
  EXPECT_TRUE(shows(7, 7, 0x445566));
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterSharing, VtOfCompositorReleasesWithoutRestore) {
  begin();
  open_and_draw(0x112233);
  terminals.text = false;
  terminals.change_to(2);
  ASSERT_TRUE(becomes_enabled(false));
  EXPECT_EQ(card->leaves, 1U);
  EXPECT_EQ(card->releases, 0U);
  terminals.change_to(1);
  EXPECT_TRUE(shows(3, 5, 0x112233));
  terminals.text = true;
  terminals.change_to(2);
  ASSERT_TRUE(becomes_enabled(false));
  EXPECT_EQ(card->releases, 1U);
}

TEST_F(PresenterSharing, ProgramBehindOtherVtIsNotHeldUp) {
  begin();
  open(4);
  ticks(3);
  EXPECT_FALSE(presenter->status().enabled);
  flush();
  terminals.change_to(4);
  EXPECT_TRUE(becomes_enabled());
}

TEST_F(PresenterSharing, OneOfManyWritersOnActiveVtIsEnough) {
  begin();
  presenter->set_writers(writers_of({std::make_shared<OnTerminal>(3), std::make_shared<OnTerminal>(1)}));
  EXPECT_TRUE(becomes_enabled());
  terminals.change_to(2);
  EXPECT_TRUE(becomes_enabled(false));
  terminals.change_to(3);
  EXPECT_TRUE(becomes_enabled());
}

TEST_F(PresenterSharing, ProgramBeyondLookupBudgetIsShownLater) {
  begin();
  std::vector<fbemu::WritingPrograms::Terminal> programs;
  for (pid_t process = 1; process <= 1000; ++process) {
    programs.push_back(std::make_shared<OnTerminal>(3, process));
  }
  const auto last = std::make_shared<OnTerminal>(3, 1001);
  last->opened = 1;
  programs.push_back(last);
  presenter->set_writers(writers_of(programs));
  EXPECT_TRUE(becomes_enabled()) << "though nothing else happens that wakes the presenter";
}

TEST_F(PresenterSharing, WriterWithoutVtIsShownOnEveryVt) {
  begin();
  presenter->set_writers(writers_of({nullptr}));
  ASSERT_TRUE(becomes_enabled());
  terminals.change_to(5);
  ticks(2);
  EXPECT_TRUE(presenter->status().enabled);
}

TEST_F(PresenterSharing, ConsoleReturnsAfterLastClose) {
  begin();
  open_and_draw(0x1);
  close();
  EXPECT_TRUE(becomes_enabled(false));
  EXPECT_FALSE(terminals.watched);
}

TEST_F(PresenterSharing, WrittenPictureStaysUntilVtIsUsed) {
  begin();
  open_and_draw(0x123456);
  close(true);
  ASSERT_TRUE(eventually([&] { return terminals.watched.load(); }));
  EXPECT_TRUE(presenter->status().enabled);
  terminals.write_on();
  EXPECT_TRUE(becomes_enabled(false));
  EXPECT_FALSE(terminals.watched);
}

TEST_F(PresenterSharing, WrittenPictureEndsWithItsVt) {
  begin();
  open_and_draw(0x123456);
  close(true);
  ASSERT_TRUE(eventually([&] { return terminals.watched.load(); }));
  terminals.change_to(2);
  EXPECT_TRUE(becomes_enabled(false));
  terminals.change_to(1);
  flush();
  EXPECT_FALSE(presenter->status().enabled);
}

TEST_F(PresenterSharing, NewWriterEndsWatch) {
  begin();
  open_and_draw(0x123456);
  close(true);
  ASSERT_TRUE(eventually([&] { return terminals.watched.load(); }));
  open();
  ASSERT_TRUE(eventually([&] { return !terminals.watched.load(); }));
  terminals.write_on();
  ticks(3);
  EXPECT_TRUE(presenter->status().enabled);
}

TEST_F(PresenterSharing, KeptPictureReturnsWithItsVt) {
  options.on_close = OnClose::keep;
  begin();
  open_and_draw(0x123456);
  close();
  flush();
  EXPECT_TRUE(presenter->status().enabled);
  terminals.change_to(2);
  EXPECT_TRUE(becomes_enabled(false));
  terminals.change_to(1);
  EXPECT_TRUE(shows(3, 5, 0x123456));
}

TEST_F(PresenterSharing, WithoutConsolePictureStays) {
  begin();
  card->console = false;
  open_and_draw(0x123456);
  close();
  flush();
  EXPECT_TRUE(presenter->status().enabled);
}

TEST_F(PresenterSharing, OtherMasterStopsUploadsUntilReleased) {
  begin();
  open_and_draw(0x1);
  card->other_master = true;
  ASSERT_TRUE(eventually([&] { return presenter->status().preempted; }));
  const uint64_t uploaded = statistics.uploaded_bytes;
  write(9, 9, 0x2);
  ticks(5);
  EXPECT_EQ(statistics.uploaded_bytes, uploaded);
  EXPECT_EQ(presenter->status().error.value(), EBUSY);
  card->other_master = false;
  ticks(1);
  EXPECT_EQ(screen(), program_picture());
  EXPECT_TRUE(eventually([&] { return !presenter->status().preempted && !presenter->status().error; }));
}

TEST_F(PresenterSharing, ProgramOpenedWhileAnotherIsMasterIsShownLater) {
  begin();
  card->other_master = true;
  open();
  write(1, 2, 0x3);
  ticks(4);
  EXPECT_FALSE(presenter->status().enabled);
  card->other_master = false;
  EXPECT_TRUE(shows(1, 2, 0x3));
}

TEST_F(PresenterSharing, ModeRequestedWhileAnotherIsMasterIsSetLater) {
  begin();
  open_and_draw(0x1);
  card->other_master = true;
  ASSERT_TRUE(eventually([&] { return presenter->status().preempted; }));
  fbemu::FramebufferState smaller = fb_state;
  smaller.mode = drmclient::make_mode({32, 32});
  smaller.size = {32, 32};
  std::promise<int> done;
  presenter->show(smaller, [&](int error) { done.set_value(error); });
  EXPECT_EQ(done.get_future().get(), 0);
  card->other_master = false;
  ASSERT_TRUE(becomes_enabled());
  EXPECT_EQ(screen(), program_picture(smaller));
}

TEST_F(PresenterSharing, RefusedModeReturnsErrno) {
  begin();
  open_and_draw(0x1);
  card->refuse_modes = EINVAL;
  fbemu::FramebufferState smaller = fb_state;
  smaller.mode = drmclient::make_mode({32, 32});
  smaller.size = {32, 32};
  std::promise<int> done;
  presenter->show(smaller, [&](int error) { done.set_value(error); });
  EXPECT_EQ(done.get_future().get(), EINVAL);
  EXPECT_EQ(presenter->status().mode.size(), visible);
}

TEST_F(PresenterSharing, MonitorWithOtherModesShowsScaledPicture) {
  options.follow_monitor_mode = drmclient::make_mode(visible);
  fb_state.scaling = fbemu::Scaling::integer;
  begin();
  open_and_draw(0x123456);
  card->plug_monitor({{128, 160}, {64, 64}});
  ASSERT_TRUE(eventually([&] { return presenter->status().mode.size() == drmclient::Size{128, 160}; }));
  // Twice as large, 16 lines from the top.
  const auto picture = screen();
  EXPECT_EQ(picture.at(size_t{16 + 2 * 5} * 128 + 2 * 3), 0x123456U);
  EXPECT_EQ(picture.at(size_t{16 + 2 * 5 + 1} * 128 + 2 * 3 + 1), 0x123456U);
  EXPECT_EQ(picture.at(size_t{15} * 128), 0U);
}

TEST_F(PresenterSharing, RequestedModeStaysIfMonitorHasIt) {
  options.follow_monitor_mode = drmclient::make_mode({200, 100});
  begin();
  open_and_draw(0x123456);
  card->plug_monitor({{128, 160}, {64, 64}});
  ASSERT_TRUE(eventually([&] { return presenter->status().output.modes.size() == 2; }));
  EXPECT_EQ(presenter->status().mode.size(), visible);
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterSharing, StormOfHotplugEventsIsThrottled) {
  begin();
  open_and_draw(0x1);
  for (unsigned i = 0; i < 500; ++i) {
    card->plug(i % 2 == 1);
    if (i % 50 == 0) ticks(1);
  }
  EXPECT_TRUE(eventually([&] { return presenter->status().output.connected; }));
  EXPECT_TRUE(shows(3, 5, 0x1));
  EXPECT_LT(statistics.mode_sets, 20U);
}

TEST_F(PresenterSharing, ResumeRestoresPictureAndPower) {
  begin();
  open_and_draw(0x123456);
  presenter->set_power(drmclient::Power::standby);
  ASSERT_TRUE(eventually([&] { return presenter->status().power == drmclient::Power::standby; }));
  const uint64_t sets = statistics.mode_sets;
  card->resume();
  ASSERT_TRUE(eventually([&] { return statistics.mode_sets > sets; }));
  EXPECT_TRUE(eventually([&] { return presenter->status().power == drmclient::Power::standby; }));
  presenter->set_power(drmclient::Power::on);
  EXPECT_TRUE(shows(3, 5, 0x123456));
}
