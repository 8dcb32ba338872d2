#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "fbemu/output/presenter.h"
#include "tests/support/presenter_fixture.h"

using drmclient::Rect;

namespace {

class PresenterDamage : public unit::PresenterFixture {};

}  // namespace

TEST_F(PresenterDamage, FirstPictureIsMemoryOfProgram) {
  build(Vblanks::stepped);
  draw_everything(1);
  presenter->start(fb_state, &*pages);
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterDamage, WithoutPagesFirstPictureIsBackingStore) {
  build(Vblanks::stepped);
  const auto bytes = unit::noise(backing_store->size_bytes(), 2);
  backing_store->store(0, bytes);
  pages->store(0, bytes);
  presenter->start(fb_state, nullptr);
  EXPECT_EQ(screen(), program_picture());
}

TEST_F(PresenterDamage, DrawnPixelIsShownAtNextVblank) {
  start();
  presenter->set_writers(1);
  draw(3, 5, 0x123456);
  tick();
  EXPECT_EQ(shown(3, 5), 0x123456U);
}

TEST_F(PresenterDamage, WrittenPixelIsShownWithoutOpenWriter) {
  start();
  write(3, 5, 0x123456);
  ASSERT_TRUE(card->step());
  EXPECT_TRUE(unit::eventually([&] { return statistics.presents == 1; }));
  EXPECT_EQ(shown(3, 5), 0x123456U);
}

TEST_F(PresenterDamage, OnlyDamageIsUploadedAndPresented) {
  start();
  // Stored behind the log's back: what is not damage must not be shown.
  const uint32_t hidden = 0x999999;
  backing_store->store(offset_of(9, 9), std::as_bytes(std::span(&hidden, 1)));
  write(3, 5, 0x123456);
  tick();
  EXPECT_EQ(shown(9, 9), 0U);
  EXPECT_EQ(shown(3, 5), 0x123456U);
  EXPECT_EQ(card->take_presented(), (std::vector<std::vector<Rect>>{{{3, 5, 4, 6}}}));
  EXPECT_EQ(statistics.uploaded_bytes, 4U);
  EXPECT_EQ(statistics.tracked_bytes, 4U);
  EXPECT_EQ(statistics.uploaded_rects, 1U);
}

TEST_F(PresenterDamage, WithoutDamageNothingIsUploadedOrPresented) {
  start();
  presenter->set_writers(1);
  ticks(5);
  EXPECT_EQ(statistics.uploaded_bytes, 0U);
  EXPECT_TRUE(card->take_presented().empty());
}

TEST_F(PresenterDamage, DamageOutsideVisiblePartIsNotPresented) {
  start();
  write(64, 0, 1);
  write(0, 64, 1);
  write(95, 159, 1);
  tick();
  EXPECT_TRUE(card->take_presented().empty());
  EXPECT_EQ(statistics.uploaded_bytes, 0U);
}

TEST_F(PresenterDamage, PixelOutsideViewIsShownAfterPan) {
  start();
  presenter->set_writers(1);
  draw(40, 100, 0x445566);
  ticks(2);
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {32, 96};
  ASSERT_EQ(show(panned), 0);
  EXPECT_EQ(shown(8, 4), 0x445566U);
  EXPECT_EQ(screen(), program_picture(panned));
}

TEST_F(PresenterDamage, DamageInPannedStateIsShownAtItsPlace) {
  start();
  fbemu::FramebufferState panned = fb_state;
  panned.offset = {32, 96};
  ASSERT_EQ(show(panned), 0);
  static_cast<void>(card->take_presented());
  write(33, 98, 0x777777);
  tick();
  EXPECT_EQ(shown(1, 2), 0x777777U);
  EXPECT_EQ(card->take_presented(), (std::vector<std::vector<Rect>>{{{1, 2, 2, 3}}}));
}

TEST_F(PresenterDamage, PagesFlushedByKernelAreShown) {
  start();
  draw(7, 8, 0xabcdef);
  pages->write_all_back();
  tick();
  EXPECT_EQ(shown(7, 8), 0xabcdefU);
}

TEST_F(PresenterDamage, MoreThan256RectanglesAreMergedForCard) {
  visible = {16, 640};
  virtual_size = {16, 640};
  start();
  for (uint32_t y = 0; y < 640; y += 2) write(y % 16, y, 0x010203 + y);
  tick();
  EXPECT_EQ(screen(), program_picture());
  const auto presented = card->take_presented();
  ASSERT_EQ(presented.size(), 1U);
  EXPECT_EQ(presented.front().size(), 256U);
  EXPECT_EQ(statistics.uploaded_rects, 320U) << "what is uploaded is exact";
  EXPECT_EQ(statistics.failed_presents, 0U);
}

TEST_F(PresenterDamage, OtherFormatsAreConverted) {
  formats = {drmclient::PixelFormat::rgb565};
  start();
  draw_everything(4);
  pages->write_all_back();
  tick();
  EXPECT_EQ(screen(), program_picture());
  EXPECT_EQ(presenter->status().scanout_format, drmclient::PixelFormat::rgb565);
}

TEST_F(PresenterDamage, ProgramFormatIsTakenIfCardHasIt) {
  formats = {drmclient::PixelFormat::xrgb8888, drmclient::PixelFormat::rgb565};
  std::ranges::reverse(formats);
  start();
  EXPECT_EQ(presenter->status().scanout_format, drmclient::PixelFormat::xrgb8888);
}

TEST_F(PresenterDamage, WithoutOpenFileNoVblankIsRequested) {
  start();
  flush();
  flush();
  EXPECT_FALSE(card->wants_vblank());
  EXPECT_EQ(statistics.ticks, 0U);
}

TEST_F(PresenterDamage, WriterMakesEveryVblankTick) {
  start();
  presenter->set_writers(1);
  for (uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(card->step());
    ASSERT_TRUE(unit::eventually([&] { return statistics.ticks == i && card->wants_vblank(); }));
  }
}

TEST_F(PresenterDamage, AfterLastWriterNoVblankIsRequested) {
  start();
  presenter->set_writers(1);
  tick();
  presenter->set_writers(0);
  flush();
  // One may have been asked for while there still was a writer.
  ASSERT_TRUE(!card->wants_vblank() || card->step());
  flush();
  flush();
  EXPECT_FALSE(card->wants_vblank());
  const uint64_t ticks = statistics.ticks;
  flush();
  EXPECT_EQ(statistics.ticks, ticks);
}

TEST_F(PresenterDamage, StopPresentsRemainingDamage) {
  start();
  presenter->set_writers(1);
  draw(3, 5, 0x123456);
  write(10, 10, 0x654321);
  stop();
  const auto pixels = card->output().capture()->pixels;
  EXPECT_EQ(pixels[5 * 64 + 3], 0x123456U);
  EXPECT_EQ(pixels[10 * 64 + 10], 0x654321U);
}

TEST_F(PresenterDamage, AnyMixOfDrawingWritingAndPanningShowsProgramPicture) {
  start(Vblanks::at_once);
  presenter->set_writers(1);
  std::mt19937 engine(12345);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  fbemu::FramebufferState now = fb_state;
  for (int i = 0; i < 400; ++i) {
    const uint32_t x = random() % virtual_size.width;
    const uint32_t y = random() % virtual_size.height;
    const uint32_t pixel = random() & 0xffffff;
    switch (random() % 8) {
      case 0:
        pages->write_all_back();
        break;
      case 1:
        now.offset = {random() % 33, random() % 97};
        presenter->show(now, {});
        break;
      case 2:
        presenter->flush({});
        break;
      case 3:
      case 4:
        write(x, y, pixel);
        break;
      default:
        draw(x, y, pixel);
    }
  }
  const auto captured = presenter->capture();
  ASSERT_TRUE(captured.has_value());
  tick();
  EXPECT_EQ(screen(), program_picture(now));
}
