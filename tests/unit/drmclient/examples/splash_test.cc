// Tests of the splash with a card whose vblanks and other masters are under the control of the test.
#include "drmclient/examples/splash/splash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/stepped_card.h"

using drmclient::Capture;
using drmclient::PixelFormat;
using drmclient::Point;
using drmclient::Rect;
using drmclient::Size;
using splash::Picture;
using splash::place_of_bar;
using splash::place_of_picture;
using splash::Splash;
using unit::SteppedCard;

namespace {

constexpr uint32_t background = 0x182430;
constexpr uint32_t to_do = 0x405060;
constexpr uint32_t done = 0xf0a030;

class SplashTest : public testing::Test {
 protected:
  static constexpr Size screen{320, 240};

  [[nodiscard]] uint32_t pixel(int32_t x, int32_t y) {
    const auto shown = card_.output().capture();
    return shown ? shown->pixels.at(static_cast<size_t>(y) * shown->size.width + static_cast<size_t>(x))
                 : ~0U;
  }
  /// Returns the pixels of the bar's first line.
  [[nodiscard]] std::vector<uint32_t> bar() {
    const Rect place = place_of_bar(screen);
    std::vector<uint32_t> line;
    for (int32_t x = place.x1; x < place.x2; ++x) line.push_back(pixel(x, place.y1));
    return line;
  }
  [[nodiscard]] static std::vector<uint32_t> bar_at(unsigned percent) {
    std::vector<uint32_t> line(place_of_bar(screen).width(), to_do);
    std::fill_n(line.begin(), line.size() * percent / 100, done);
    return line;
  }
  void next_frame() {
    ASSERT_TRUE(card_.step());
    const auto events = card_.read_events();
    ASSERT_TRUE(events.has_value());
    ASSERT_TRUE(splash_.handle(*events, now_).has_value());
  }
  void take_events() {
    const auto events = card_.read_events();
    ASSERT_TRUE(events.has_value());
    ASSERT_TRUE(splash_.handle(*events, now_).has_value());
  }
  void start() {
    ASSERT_TRUE(splash_.probe().has_value());
    ASSERT_TRUE(splash_.update(now_).has_value());
  }

  static unit::FaultyOptions options() {
    unit::FaultyOptions options;
    options.size = screen;
    options.dirty_buffers = true;
    options.formats = {PixelFormat::rgb565, PixelFormat::xrgb8888};
    return options;
  }
  SteppedCard card_{options(), SteppedCard::Vblanks::stepped};
  Picture picture_ = Picture::plain();
  Splash splash_{card_, picture_};
  Splash::Time now_{std::chrono::hours(1)};
};

TEST_F(SplashTest, FirstUpdateShowsPictureAndBar) {
  splash_.set_percent(25);
  start();
  EXPECT_EQ(splash_.outputs(), 1U);
  EXPECT_EQ(pixel(0, 0), background);
  EXPECT_EQ(pixel(319, 239), background);
  const Rect place = place_of_picture(picture_.size(), screen);
  EXPECT_EQ(place.size(), picture_.size());
  EXPECT_EQ(pixel(place.x1, place.y1), 0xd0d8e0U);
  EXPECT_EQ(pixel(place.x1 + 80, place.y1 + 50), done);
  EXPECT_EQ(bar(), bar_at(25));
  EXPECT_FALSE(splash_.handed_over());
}

TEST_F(SplashTest, PictureIsRedrawnAfterModeSet) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(card_.take_presented(), (std::vector<std::vector<Rect>>{{Rect::of(screen)}}));
}

TEST_F(SplashTest, ProgressRedrawsOnlyBarOncePerFrame) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  static_cast<void>(card_.take_presented());
  splash_.set_percent(50);
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(bar(), bar_at(0)) << "the previous frame is not on the screen yet";
  splash_.set_percent(60);
  next_frame();
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(bar(), bar_at(60));
  EXPECT_EQ(card_.take_presented(), (std::vector<std::vector<Rect>>{{place_of_bar(screen)}}));
  next_frame();
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(card_.take_presented().empty()) << "nothing has changed";
  EXPECT_FALSE(card_.wants_vblank());
}

TEST_F(SplashTest, OtherFramebufferIsYieldedTo) {
  start();
  card_.replaced = true;
  splash_.set_percent(70);
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(card_.take_presented().empty());
  EXPECT_TRUE(splash_.handed_over());
  splash_.release();
  EXPECT_EQ(card_.releases, 0U);
  EXPECT_EQ(card_.leaves, 1U);
}

TEST_F(SplashTest, SplashResumesAfterOtherFramebufferLeaves) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  next_frame();
  card_.replaced = true;
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(splash_.handed_over());
  card_.replaced = false;
  splash_.set_percent(70);
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(bar(), bar_at(70));
}

TEST_F(SplashTest, OutputOfOtherMasterIsWaitedFor) {
  card_.other_master = true;
  start();
  EXPECT_FALSE(splash_.handed_over()) << "the splash never had the output";
  EXPECT_LE(splash_.timeout().count(), 17) << "an output that is not enabled has no vblank";
  EXPECT_GT(splash_.timeout().count(), 0);
  card_.other_master = false;
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(bar(), bar_at(0));
}

TEST_F(SplashTest, RefusedFrameIsRetriedAtNextVblank) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  next_frame();
  card_.refuse_presents = EBUSY;
  splash_.set_percent(40);
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(card_.wants_vblank());
  EXPECT_EQ(bar(), bar_at(0));
  card_.refuse_presents = 0;
  next_frame();
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(bar(), bar_at(40));
}

TEST_F(SplashTest, UnpluggedCardEndsSplash) {
  start();
  card_.refuse_presents = ENODEV;
  const auto updated = splash_.update(now_);
  ASSERT_FALSE(updated.has_value());
  EXPECT_EQ(updated.error().value(), ENODEV);
}

TEST_F(SplashTest, UnpluggedCardIsNoOtherFramebuffer) {
  start();
  card_.gone = true;
  const auto updated = splash_.update(now_);
  ASSERT_FALSE(updated.has_value());
  EXPECT_EQ(updated.error().value(), ENODEV);
}

TEST_F(SplashTest, RefusedOnlyOutputEndsSplash) {
  card_.refuse_modes = EINVAL;
  ASSERT_TRUE(splash_.probe().has_value());
  const auto updated = splash_.update(now_);
  ASSERT_FALSE(updated.has_value());
  EXPECT_EQ(updated.error().value(), EINVAL);
}

TEST_F(SplashTest, ReplugShowsPictureAgain) {
  start();
  card_.plug(false);
  take_events();
  EXPECT_EQ(splash_.outputs(), 0U);
  EXPECT_EQ(card_.releases, 1U);
  EXPECT_FALSE(splash_.handed_over());
  ASSERT_TRUE(splash_.update(now_).has_value());
  card_.plug_monitor({{200, 100}, screen});
  card_.plug(true);
  take_events();
  splash_.set_percent(10);
  ASSERT_TRUE(splash_.update(now_).has_value());
  const auto shown = card_.output().capture();
  ASSERT_TRUE(shown.has_value());
  EXPECT_EQ(shown->size, (Size{200, 100}));
}

TEST_F(SplashTest, UnpluggedOutputWithConsoleIsReleasedWithoutRestore) {
  start();
  card_.replaced = card_.replaced_by_console = true;
  card_.plug(false);
  take_events();
  EXPECT_EQ(splash_.outputs(), 0U);
  EXPECT_EQ(card_.leaves, 1U) << "an output must not use a destroyed buffer and its closed card";
  EXPECT_EQ(card_.releases, 0U);
}

TEST_F(SplashTest, OutputWithConsoleAndOtherMonitorIsReleasedWithoutRestore) {
  start();
  card_.replaced = card_.replaced_by_console = true;
  card_.plug_monitor({{200, 100}});
  take_events();
  EXPECT_EQ(splash_.outputs(), 1U);
  EXPECT_EQ(card_.leaves, 1U);
  EXPECT_EQ(card_.releases, 0U);
  card_.replaced = card_.replaced_by_console = false;
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(card_.output().capture().value().size, (Size{200, 100}));
}

TEST_F(SplashTest, HotplugWithoutChangeKeepsBuffer) {
  start();
  card_.plug(true);
  take_events();
  EXPECT_EQ(card_.releases, 0U);
  EXPECT_EQ(bar(), bar_at(0));
}

TEST_F(SplashTest, ConsoleAfterHotplugIsReplaced) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  next_frame();
  static_cast<void>(card_.take_presented());
  card_.replaced = card_.replaced_by_console = true;
  card_.plug(true);
  take_events();
  now_ += std::chrono::seconds(1);
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_FALSE(splash_.handed_over());
  EXPECT_EQ(card_.take_presented(), (std::vector<std::vector<Rect>>{{Rect::of(screen)}}));
}

TEST_F(SplashTest, ConsoleWithoutHotplugIsYieldedTo) {
  start();
  card_.plug(true);
  take_events();
  now_ += std::chrono::seconds(10);
  card_.replaced = card_.replaced_by_console = true;
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_FALSE(splash_.handed_over()) << "a hotplug may be the cause";
  now_ += std::chrono::seconds(2);
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(splash_.handed_over());
  EXPECT_TRUE(card_.take_presented().empty());
}

TEST_F(SplashTest, ConsoleBeforeHotplugEventIsReplaced) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  next_frame();
  static_cast<void>(card_.take_presented());
  now_ += std::chrono::seconds(10);
  card_.replaced = card_.replaced_by_console = true;
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(card_.take_presented().empty());
  now_ += std::chrono::milliseconds(1900);
  card_.plug(true);
  take_events();
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_FALSE(splash_.handed_over());
  EXPECT_EQ(card_.take_presented(), (std::vector<std::vector<Rect>>{{Rect::of(screen)}}));
}

TEST_F(SplashTest, ProgramAfterHotplugIsYieldedTo) {
  start();
  card_.plug(true);
  take_events();
  card_.replaced = true;
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_TRUE(splash_.handed_over());
  EXPECT_TRUE(card_.take_presented().empty());
}

TEST_F(SplashTest, ResumeRedrawsEverything) {
  start();
  ASSERT_TRUE(splash_.update(now_).has_value());
  next_frame();
  static_cast<void>(card_.take_presented());
  card_.resume();
  take_events();
  ASSERT_TRUE(splash_.update(now_).has_value());
  EXPECT_EQ(card_.take_presented(), (std::vector<std::vector<Rect>>{{Rect::of(screen)}}));
}

TEST_F(SplashTest, ReleaseRestoresOutput) {
  start();
  splash_.release();
  EXPECT_EQ(card_.releases, 1U);
  EXPECT_EQ(splash_.outputs(), 0U);
}

TEST_F(SplashTest, DestructionReleasesOutput) {
  {
    Splash shown(card_, picture_);
    ASSERT_TRUE(shown.probe().has_value());
    ASSERT_TRUE(shown.update(now_).has_value());
    EXPECT_EQ(card_.releases, 0U);
  }
  EXPECT_EQ(card_.releases, 1U);
}

TEST(SplashPlaces, PictureAndBarLieApartInsideScreen) {
  for (const Size screen :
       {Size{8, 8}, Size{64, 48}, Size{320, 240}, Size{1280, 800}, Size{200, 4000}, Size{8192, 8}}) {
    for (const Size picture :
         {Size{1, 1}, Size{160, 140}, Size{16'384, 1}, Size{1, 16'384}, Size{3000, 2000}}) {
      const Rect place = place_of_picture(picture, screen);
      const Rect bar = place_of_bar(screen);
      for (const Rect& rect : {place, bar}) {
        EXPECT_FALSE(rect.empty());
        EXPECT_EQ(rect.clipped_to(Rect::of(screen)), rect);
      }
      EXPECT_LE(place.y2, bar.y1);
    }
  }
}

}  // namespace
