#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "fbemu/output/clone_group.h"
#include "fbemu/output/output_presenter.h"
#include "tests/support/fake_program_pages.h"
#include "tests/support/log_capture.h"
#include "tests/support/manual_clock.h"
#include "tests/support/reference_pixels.h"
#include "tests/support/stepped_card.h"

namespace unit {

/// What a Screen and a Display need, on the test's own thread: a card in memory whose faults the test
/// switches on, and a scene of 64x64 pixels in a virtual screen of 96x160, full of noise.
class ScreenFixture : public testing::Test {
 protected:
  static constexpr drmclient::OutputId first = 1;
  static constexpr drmclient::OutputId second = 2;
  static constexpr drmclient::Size visible{64, 64};

  void build() {
    headless.size = visible;
    headless.used_buffers = true;
    card.emplace(headless, SteppedCard::Vblanks::stepped);
    if (shared) card->share();
    scene.mode = drmclient::make_mode(visible);
    scene.size = visible;
    scene.layout.virtual_size = {96, 160};
    scene.layout.pitch_bytes = 96 * 4;
    shadow.emplace(uint64_t{scene.layout.pitch_bytes} * scene.layout.virtual_size.height);
    pages.emplace(shadow->size_bytes(), [](uint64_t, std::span<const std::byte>) {});
    const auto picture = noise(shadow->size_bytes(), 1);
    shadow->store(0, picture);
    pages->store(0, picture);
  }
  [[nodiscard]] std::vector<drmclient::Output> outputs() { return *card->probe(); }

  /// A program writes a pixel of the virtual screen. Returns the damage.
  fbemu::ByteRange write(uint32_t x, uint32_t y, uint32_t pixel) {
    const uint64_t at = uint64_t{y} * scene.layout.pitch_bytes + uint64_t{x} * 4;
    const auto bytes = std::as_bytes(std::span(&pixel, 1));
    shadow->store(at, bytes);
    pages->store(at, bytes);
    return {at, at + 4};
  }
  /// The view of `of` at one pixel, as the shadow has it.
  [[nodiscard]] uint32_t pixel_of(const fbemu::Scene& of, uint32_t x, uint32_t y) const {
    std::array<std::byte, 4> bytes{};
    shadow->load(uint64_t{y + of.offset.y} * of.layout.pitch_bytes + uint64_t{x + of.offset.x} * 4, bytes);
    return decode(drmclient::PixelFormat::xrgb8888, bytes.data());
  }
  /// The whole view.
  [[nodiscard]] std::vector<uint32_t> picture_of(const fbemu::Scene& of) const {
    std::vector<uint32_t> pixels;
    for (uint32_t y = 0; y < of.size.height; ++y) {
      for (uint32_t x = 0; x < of.size.width; ++x) pixels.push_back(pixel_of(of, x, y));
    }
    return pixels;
  }
  [[nodiscard]] fbemu::Scene panned(uint32_t x, uint32_t y) const {
    fbemu::Scene other = scene;
    other.offset = {x, y};
    return other;
  }
  [[nodiscard]] fbemu::Scene scene_of(drmclient::Size size) const {
    fbemu::Scene other = scene;
    other.mode = drmclient::make_mode(size);
    other.size = size;
    return other;
  }

  /// What the monitor shows; nothing if the output is not lit.
  [[nodiscard]] std::vector<uint32_t> shown(drmclient::OutputId output = first) {
    auto capture = card->capture(output);
    return capture ? std::move(capture->pixels) : std::vector<uint32_t>();
  }

  drmclient::HeadlessOptions headless;
  bool shared = false;
  std::optional<SteppedCard> card;
  fbemu::Scene scene;
  std::optional<fbemu::Shadow> shadow;
  std::optional<FakeProgramPages> pages;
  fbemu::Statistics statistics;
  ManualClock clock;
  LogCapture log;
};

}  // namespace unit
