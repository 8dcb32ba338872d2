#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/eventually.h"
#include "tests/support/presenter_fixture.h"

using drmclient::Power;
using drmclient::Size;
using fbemu::Outputs;
using fbemu::Writers;
using unit::eventually;

namespace {

constexpr unsigned first = 1;
constexpr unsigned second = 2;

/// A card with two outputs that both have a monitor, shared with the kernel's console.
class PresenterOutputs : public unit::PresenterFixture {
 protected:
  PresenterOutputs() {
    shared = true;
    mappings.outputs = 2;
    options.outputs = Outputs::all;
  }
  ~PresenterOutputs() override { stop(); }

  void begin() { start(Vblanks::at_once); }
  void open() { presenter->set_writers(1); }
  void close() { presenter->set_writers(0); }

  [[nodiscard]] fbemu::CloneGroup::OutputStatus status_of(unsigned output) const {
    const auto outputs = presenter->status().outputs;
    const auto name = "Virtual-" + std::to_string(output);
    const auto found = std::ranges::find(outputs, name, &fbemu::CloneGroup::OutputStatus::name);
    return found == outputs.end() ? fbemu::CloneGroup::OutputStatus{} : *found;
  }
  [[nodiscard]] bool becomes_enabled(unsigned output, bool enabled = true) {
    return eventually([&] { return status_of(output).enabled == enabled; });
  }
  [[nodiscard]] bool both_enabled() { return becomes_enabled(first) && becomes_enabled(second); }
  /// The output is enabled and shows the program's picture pixel by pixel.
  [[nodiscard]] bool shows_picture(unsigned output) {
    return eventually([&] { return status_of(output).enabled && screen(output) == program_picture(); });
  }
  /// In the mode of another size the picture's middle is in the middle.
  [[nodiscard]] bool middle_is(unsigned output, Size size, uint32_t pixel) {
    return eventually([&] {
      if (!status_of(output).enabled) return false;
      const auto pixels = screen(output);
      return pixels.size() == size.area() &&
             pixels.at(size_t{size.height / 2} * size.width + size.width / 2) == pixel;
    });
  }
  void fill(uint32_t pixel) {
    std::vector<uint32_t> pixels(backing_store->size_bytes() / 4, pixel);
    const auto bytes = std::as_bytes(std::span(pixels));
    pages->store(0, bytes);
    backing_store->store(0, bytes);
    if (damage.add_written({0, bytes.size()})) presenter->damaged();
  }
};

}  // namespace

TEST_F(PresenterOutputs, AllConnectedOutputsShowPicture) {
  begin();
  EXPECT_FALSE(status_of(second).enabled);
  open();
  ASSERT_TRUE(both_enabled());
  write(3, 5, 0x112233);
  EXPECT_TRUE(shows_picture(first));
  EXPECT_TRUE(shows_picture(second));
  draw_everything(7);
  EXPECT_TRUE(shows_picture(first));
  EXPECT_TRUE(shows_picture(second));
  close();
  EXPECT_TRUE(becomes_enabled(first, false));
  EXPECT_TRUE(becomes_enabled(second, false));
}

TEST_F(PresenterOutputs, ChosenOutputShowsPictureAlone) {
  options.outputs = Outputs::one;
  begin();
  open();
  ASSERT_TRUE(becomes_enabled(first));
  card->plug_other(second, false);
  card->plug_other(second, true);
  ticks(3);
  EXPECT_EQ(presenter->status().outputs.size(), 1U);
  EXPECT_FALSE(captured(second).has_value());
}

TEST_F(PresenterOutputs, PannedPicturesAreOnBoth) {
  begin();
  draw_everything(3);
  open();
  ASSERT_TRUE(both_enabled());
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {16, 64};
  ASSERT_EQ(show(panned), 0);
  EXPECT_EQ(screen(first), program_picture(panned));
  EXPECT_EQ(screen(second), program_picture(panned));
}

TEST_F(PresenterOutputs, OutputPluggedInLaterShowsPicture) {
  mappings.outputs = 3;
  begin();
  card->plug_other(second, false);
  open();
  ASSERT_TRUE(eventually([&] { return presenter->status().outputs.size() == 2; }));
  draw_everything(9);
  card->plug_other(second, true);
  EXPECT_TRUE(shows_picture(second));
  EXPECT_TRUE(shows_picture(3));
}

TEST_F(PresenterOutputs, UnpluggedOutputIsReleased) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  const unsigned before = card->releases;
  card->plug_other(second, false);
  EXPECT_TRUE(eventually([&] { return presenter->status().outputs.size() == 1; }));
  EXPECT_EQ(card->releases, before + 1);
  write(3, 5, 0x445566);
  EXPECT_TRUE(shows_picture(first));
}

TEST_F(PresenterOutputs, MonitorOfAnotherSizeShowsItFitted) {
  begin();
  card->plug_other(second, true, {Size{128, 128}});
  open();
  fill(0x00ff00);
  EXPECT_TRUE(middle_is(first, visible, 0x00ff00));
  EXPECT_TRUE(middle_is(second, {128, 128}, 0x00ff00));
  EXPECT_EQ(presenter->status().mode.size(), visible);
}

TEST_F(PresenterOutputs, MonitorThatHasSizeIsSetToIt) {
  begin();
  card->plug_other(second, true, {Size{128, 128}, visible});
  open();
  draw_everything(5);
  EXPECT_TRUE(shows_picture(second));
}

TEST_F(PresenterOutputs, CloneShowsPictureAloneWithoutPrimary) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  draw_everything(1);
  card->plug(false);
  ASSERT_TRUE(becomes_enabled(first, false));
  EXPECT_TRUE(shows_picture(second));
  EXPECT_TRUE(presenter->status().enabled);
  EXPECT_EQ(presenter->status().output.name, "Virtual-1");
  tick();
  EXPECT_EQ(presenter->capture()->pixels, program_picture());
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {8, 8};
  ASSERT_EQ(show(panned), 0);
  EXPECT_EQ(screen(second), program_picture(panned));
  card->plug(true);
  ASSERT_TRUE(becomes_enabled(first));
  EXPECT_EQ(screen(first), program_picture(panned));
  EXPECT_EQ(screen(second), program_picture(panned));
}

TEST_F(PresenterOutputs, CableMayMoveOnCardWithOneCrtc) {
  begin();
  card->crtcs = 1;
  card->plug_other(second, false);
  open();
  ASSERT_TRUE(becomes_enabled(first));
  draw_everything(2);
  ASSERT_TRUE(shows_picture(first));
  card->connected = false;
  card->plug_other(second, true);
  ASSERT_TRUE(becomes_enabled(first, false));
  EXPECT_TRUE(shows_picture(second));
  card->plug(true);
  ASSERT_TRUE(becomes_enabled(first));
  EXPECT_TRUE(shows_picture(first));
  EXPECT_FALSE(status_of(second).enabled);
}

TEST_F(PresenterOutputs, OutputWithoutCrtcIsExcluded) {
  begin();
  card->crtcs = 1;
  open();
  ASSERT_TRUE(becomes_enabled(first));
  ASSERT_TRUE(eventually([&] { return status_of(second).error.value() == ENOSPC; }));
  // After a mode set the picture is uploaded once more.
  tick();
  const uint64_t sets = statistics.mode_sets;
  const uint64_t uploaded = statistics.uploaded_bytes;
  ticks(40);
  EXPECT_EQ(statistics.mode_sets, sets);
  EXPECT_EQ(statistics.uploaded_bytes, uploaded);
  EXPECT_FALSE(status_of(second).enabled);
  write(3, 5, 0x445566);
  EXPECT_TRUE(shows_picture(first));
}

TEST_F(PresenterOutputs, OutputThatRefusesModeFailsNoProgram) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  card->refuse_modes_of = second;
  fbemu::FramebufferState larger = fb_state;
  larger.mode = drmclient::make_mode({96, 96});
  larger.size = {96, 96};
  EXPECT_EQ(show(larger), 0);
  EXPECT_TRUE(status_of(first).enabled);
  // It goes on in the mode that it has.
  EXPECT_TRUE(status_of(second).enabled);
  EXPECT_EQ(status_of(first).mode.size(), (Size{96, 96}));
}

TEST_F(PresenterOutputs, OtherMasterPreemptsBothOutputs) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  card->other_master = true;
  ASSERT_TRUE(eventually([&] { return status_of(first).preempted && status_of(second).preempted; }));
  draw_everything(4);
  flush();
  card->other_master = false;
  EXPECT_TRUE(shows_picture(first));
  EXPECT_TRUE(shows_picture(second));
}

TEST_F(PresenterOutputs, OutputPluggedInDuringOtherMasterIsEnabledLater) {
  begin();
  card->plug_other(second, false);
  open();
  ASSERT_TRUE(becomes_enabled(first));
  card->other_master = true;
  ASSERT_TRUE(eventually([&] { return status_of(first).preempted; }));
  card->plug_other(second, true);
  ASSERT_TRUE(eventually([&] { return presenter->status().outputs.size() == 2; }));
  draw_everything(6);
  card->other_master = false;
  EXPECT_TRUE(shows_picture(first));
  EXPECT_TRUE(shows_picture(second));
}

TEST_F(PresenterOutputs, BlankedAndBack) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  draw_everything(8);
  presenter->set_power(Power::off);
  const std::vector<uint32_t> black(visible.area());
  EXPECT_TRUE(eventually([&] { return screen(first) == black && screen(second) == black; }));
  presenter->set_power(Power::on);
  EXPECT_TRUE(shows_picture(first));
  EXPECT_TRUE(shows_picture(second));
}

TEST_F(PresenterOutputs, ReturnedCardEnablesBothOutputs) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  card->gone = true;
  card->refuse_presents = ENODEV;
  card->refuse_modes = ENODEV;
  write(1, 1, 0x1);
  ASSERT_TRUE(becomes_enabled(first, false));
  ASSERT_TRUE(becomes_enabled(second, false));
  draw_everything(11);
  card->refuse_presents = 0;
  card->refuse_modes = 0;
  card->gone = false;
  EXPECT_TRUE(shows_picture(first));
  EXPECT_TRUE(shows_picture(second));
}

TEST_F(PresenterOutputs, ResumeShowsBothOutputs) {
  begin();
  open();
  ASSERT_TRUE(both_enabled());
  const uint64_t sets = statistics.mode_sets;
  card->resume();
  EXPECT_TRUE(eventually([&] { return statistics.mode_sets == sets + 2; }));
}

TEST_F(PresenterOutputs, FirstEnabledOutputPacesFrames) {
  start(Vblanks::stepped);
  open();
  ASSERT_TRUE(eventually([&] {
    tick();
    return status_of(first).enabled && status_of(second).enabled;
  }));
  EXPECT_TRUE(eventually([&] { return card->wanted_vblank() == first; }));
}
