#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "fbemu/output/presenter.h"
#include "tests/support/fake_program_pages.h"
#include "tests/support/manual_clock.h"
#include "tests/support/reference_pixels.h"
#include "tests/support/stepped_card.h"

namespace unit {

/// A presenter on a card whose vblanks the test gives one by one, and a program with pages that it draws in.
/// The screen has 64x64 pixels, the virtual screen is 96x160: 15 pages, of which about 6 are visible.
class PresenterFixture : public testing::Test {
 protected:
  using Vblanks = SteppedCard::Vblanks;

  ~PresenterFixture() override { stop(); }

  void start(Vblanks vblanks = Vblanks::stepped) {
    build(vblanks);
    presenter->start(fb_state, &*pages);
  }
  void start_without_pages() {
    build(Vblanks::stepped);
    presenter->start(fb_state, nullptr);
  }
  void build(Vblanks vblanks) {
    FaultyOptions headless = mappings;
    headless.size = visible;
    headless.formats = formats;
    headless.dirty_buffers = true;
    card.emplace(headless, vblanks);
    stepped = vblanks == Vblanks::stepped;
    fb_state.mode = drmclient::make_mode(visible);
    fb_state.size = visible;
    fb_state.layout.virtual_size = virtual_size;
    fb_state.layout.pitch_bytes = virtual_size.width * 4;
    backing_store.emplace(uint64_t{fb_state.layout.pitch_bytes} * virtual_size.height);
    pages.emplace(backing_store->size_bytes(), [this](uint64_t offset, std::span<const std::byte> page) {
      backing_store->store(offset, page);
      if (damage.add_written_back({offset, offset + page.size()})) presenter->damaged();
    });
    if (shared) card->share();
    presenter.emplace(*card, *card->probe()->front(), *backing_store, damage, statistics, options, *clock);
  }
  void stop() {
    if (presenter) presenter->stop();
  }

  [[nodiscard]] uint64_t offset_of(uint32_t x, uint32_t y) const {
    return uint64_t{y} * fb_state.layout.pitch_bytes + uint64_t{x} * 4;
  }
  /// A program draws a pixel (virtual coordinates) through its mapping.
  void draw(uint32_t x, uint32_t y, uint32_t pixel) {
    pages->draw(offset_of(x, y), std::as_bytes(std::span(&pixel, 1)));
  }
  void draw_everything(uint64_t seed) { pages->draw(0, noise(backing_store->size_bytes(), seed)); }
  /// A program stores a pixel with write(2).
  void write(uint32_t x, uint32_t y, uint32_t pixel) {
    const auto bytes = std::as_bytes(std::span(&pixel, 1));
    pages->store(offset_of(x, y), bytes);
    backing_store->store(offset_of(x, y), bytes);
    if (damage.add_written({offset_of(x, y), offset_of(x, y) + 4})) presenter->damaged();
  }

  /// One vblank, and all that the presenter does at it.
  void tick() {
    std::promise<void> done;
    presenter->at_vblank([&](int) { done.set_value(); });
    if (stepped) {
      ASSERT_TRUE(card->step()) << "no vblank was asked for";
    }
    ASSERT_EQ(done.get_future().wait_for(timeout), std::future_status::ready);
  }
  void ticks(int count) {
    for (int i = 0; i < count; ++i) tick();
  }
  /// Waits for a flush.
  void flush() {
    std::promise<void> done;
    presenter->flush([&](int) { done.set_value(); });
    ASSERT_EQ(done.get_future().wait_for(timeout), std::future_status::ready);
  }
  /// Requests a state, triggers the vblank, and returns the completion's error.
  [[nodiscard]] int show(const fbemu::FramebufferState& wanted) {
    std::promise<int> done;
    presenter->show(wanted, [&](int error) { done.set_value(error); });
    EXPECT_TRUE(!stepped || card->step());
    return done.get_future().get();
  }

  /// Returns the output's picture without presenting first, read on the presenter's thread, which alone uses
  /// the card. Fails if the output is not enabled.
  [[nodiscard]] base::Result<drmclient::Capture> captured(unsigned of) {
    std::promise<base::Result<drmclient::Capture>> capture;
    presenter->flush([&](int) { capture.set_value(card->output(of).capture()); });
    return capture.get_future().get();
  }
  /// Returns the pixels of the output's picture; empty if it is not enabled.
  [[nodiscard]] std::vector<uint32_t> screen(unsigned of = 1) {
    auto capture = captured(of);
    return capture ? std::move(capture->pixels) : std::vector<uint32_t>();
  }
  [[nodiscard]] uint32_t shown(uint32_t x, uint32_t y) { return screen().at(size_t{y} * visible.width + x); }
  /// Returns the view of `of` from the program's pages.
  [[nodiscard]] std::vector<uint32_t> program_picture(const fbemu::FramebufferState& of) const {
    const auto contents = pages->contents();
    std::vector<uint32_t> pixels;
    const auto size = of.size;
    for (uint32_t y = 0; y < size.height; ++y) {
      for (uint32_t x = 0; x < size.width; ++x) {
        const uint64_t at = uint64_t{y + of.offset.y} * of.layout.pitch_bytes + uint64_t{x + of.offset.x} * 4;
        pixels.push_back(
            rounded_to(formats.front(), decode(drmclient::PixelFormat::xrgb8888, contents.data() + at)));
      }
    }
    return pixels;
  }
  [[nodiscard]] std::vector<uint32_t> program_picture() const { return program_picture(fb_state); }

  drmclient::Size visible{64, 64};
  drmclient::Size virtual_size{96, 160};
  std::vector<drmclient::PixelFormat> formats{drmclient::PixelFormat::xrgb8888};
  FaultyOptions mappings;  ///< its other members are set by build()
  bool stepped = true;
  bool shared = false;
  fbemu::ArbiterOptions options;
  ManualClock manual_clock;
  const base::Clock* clock = &base::monotonic_clock();  ///< clock of the presenter
  std::optional<SteppedCard> card;
  fbemu::FramebufferState fb_state;
  std::optional<fbemu::BackingStore> backing_store;
  fbemu::DamageLog damage;
  fbemu::Statistics statistics;
  std::optional<FakeProgramPages> pages;
  std::optional<fbemu::Presenter> presenter;
};

}  // namespace unit
