#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "drmclient/kms/kms_card.h"
#include "drmclient/kms/kms_modes.h"
#include "tests/support/fake_drm.h"
#include "tests/support/manual_clock.h"

namespace unit {

/// A KmsCard on a fake card with two outputs, each with a CRTC of its own.
class KmsCardFixture : public testing::Test {
 protected:
  static constexpr drmclient::OutputId first = FakeDrm::first_connector;
  static constexpr drmclient::OutputId second = FakeDrm::first_connector + 1;

  explicit KmsCardFixture(size_t outputs = 2, size_t crtcs = 2) : drm(outputs, crtcs) {
    drmclient::KmsOptions options;
    options.path = drm.path();
    card.emplace(options, clock);
    buffer = make_buffer(drmclient::PixelFormat::xrgb8888);
    drm.calls.clear();
  }

  /// Makes a buffer; the card's node is open as long as one exists.
  [[nodiscard]] std::unique_ptr<drmclient::ScanoutBuffer> make_buffer(drmclient::PixelFormat format) {
    auto made = card->create_buffer({1024, 768}, format);
    EXPECT_TRUE(made.has_value());
    return made ? std::move(*made) : nullptr;
  }
  [[nodiscard]] bool enable(drmclient::OutputId output) {
    return card->set_mode(output, mode, *buffer, {}).has_value();
  }
  /// Does what the presenter does in a frame: checks for preemption and presents. Returns false if preempted.
  [[nodiscard]] bool frame(drmclient::OutputId output) {
    const drmclient::Rect damage{0, 0, 8, 8};
    return card->scans_out_our_fb(output) && card->present(output, *buffer, {}, {&damage, 1}).has_value();
  }
  [[nodiscard]] unsigned hotplugs() {
    unsigned count = 0;
    const auto events = card->read_events();
    for (const drmclient::Event& event : events.value()) {
      if (std::holds_alternative<drmclient::HotplugEvent>(event)) ++count;
    }
    return count;
  }
  /// Returns the number of connector reads, each of which may probe the hardware.
  [[nodiscard]] unsigned connector_reads() { return drm.calls["drmModeGetConnector"]; }

  FakeDrm drm;
  ManualClock clock;
  drmclient::Mode mode = drmclient::mode_from_kernel(FakeDrm::a_mode()).value();
  std::optional<drmclient::KmsCard> card;
  std::unique_ptr<drmclient::ScanoutBuffer> buffer;
};

}  // namespace unit
