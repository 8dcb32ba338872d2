#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "fbemu/output/clone_group.h"
#include "fbemu/output/output_presenter.h"
#include "tests/support/captured_log.h"
#include "tests/support/fake_program_pages.h"
#include "tests/support/manual_clock.h"
#include "tests/support/reference_pixels.h"
#include "tests/support/stepped_card.h"

namespace unit {

/// The objects that an OutputPresenter and a CloneGroup need, on the test's own thread. The test switches the
/// faults of the card on. The state is 64x64 pixels of noise in a virtual screen of 96x160.
class OutputPresenterFixture : public testing::Test {
 protected:
  /// Numbers of outputs.
  static constexpr unsigned first = 1;
  static constexpr unsigned second = 2;
  static constexpr drmclient::Size visible{64, 64};

  void build() {
    headless.size = visible;
    headless.dirty_buffers = true;
    card.emplace(headless, SteppedCard::Vblanks::stepped);
    if (shared) card->share();
    fb_state.mode = drmclient::make_mode(visible);
    fb_state.size = visible;
    fb_state.layout.virtual_size = {96, 160};
    fb_state.layout.pitch_bytes = 96 * 4;
    backing_store.emplace(uint64_t{fb_state.layout.pitch_bytes} * fb_state.layout.virtual_size.height);
    pages.emplace(backing_store->size_bytes(), [](uint64_t, std::span<const std::byte>) {});
    const auto picture = noise(backing_store->size_bytes(), 1);
    backing_store->store(0, picture);
    pages->store(0, picture);
  }
  /// Returns an output after a probe.
  [[nodiscard]] drmclient::Output& probed(unsigned output = first) { return *card->probe()->at(output - 1); }

  /// Writes a pixel of the virtual screen as a program. Returns the damage.
  fbemu::ByteRange write(uint32_t x, uint32_t y, uint32_t pixel) {
    const uint64_t at = uint64_t{y} * fb_state.layout.pitch_bytes + uint64_t{x} * 4;
    const auto bytes = std::as_bytes(std::span(&pixel, 1));
    backing_store->store(at, bytes);
    pages->store(at, bytes);
    return {at, at + 4};
  }
  /// Returns a pixel of the view of `of` from the backing store.
  [[nodiscard]] uint32_t pixel_of(const fbemu::FramebufferState& of, uint32_t x, uint32_t y) const {
    std::array<std::byte, 4> bytes{};
    backing_store->load(uint64_t{y + of.offset.y} * of.layout.pitch_bytes + uint64_t{x + of.offset.x} * 4,
                        bytes);
    return decode(drmclient::PixelFormat::xrgb8888, bytes.data());
  }
  /// Returns the whole view of `of` from the backing store.
  [[nodiscard]] std::vector<uint32_t> picture_of(const fbemu::FramebufferState& of) const {
    std::vector<uint32_t> pixels;
    for (uint32_t y = 0; y < of.size.height; ++y) {
      for (uint32_t x = 0; x < of.size.width; ++x) pixels.push_back(pixel_of(of, x, y));
    }
    return pixels;
  }
  [[nodiscard]] fbemu::FramebufferState panned(uint32_t x, uint32_t y) const {
    fbemu::FramebufferState other = fb_state;
    other.offset = {x, y};
    return other;
  }
  [[nodiscard]] fbemu::FramebufferState fb_state_of(drmclient::Size size) const {
    fbemu::FramebufferState other = fb_state;
    other.mode = drmclient::make_mode(size);
    other.size = size;
    return other;
  }

  /// Returns the monitor's picture; empty if the output is not enabled.
  [[nodiscard]] std::vector<uint32_t> shown(unsigned output = first) {
    auto capture = card->output(output).capture();
    return capture ? std::move(capture->pixels) : std::vector<uint32_t>();
  }

  FaultyOptions headless;
  bool shared = false;
  std::optional<SteppedCard> card;
  fbemu::FramebufferState fb_state;
  std::optional<fbemu::BackingStore> backing_store;
  std::optional<FakeProgramPages> pages;
  fbemu::Statistics statistics;
  ManualClock clock;
  CapturedLog log;
};

}  // namespace unit
