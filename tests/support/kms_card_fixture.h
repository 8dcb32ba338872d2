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
  /// Ids of connectors.
  static constexpr uint32_t first = FakeDrm::first_connector;
  static constexpr uint32_t second = FakeDrm::first_connector + 1;

  explicit KmsCardFixture(size_t connectors = 2, size_t crtcs = 2) : drm(connectors, crtcs) {
    drmclient::KmsOptions options;
    options.path = drm.path();
    card.emplace(options, clock);
    // The node is closed afterwards, so the card reads the connectors again when it is opened.
    outputs = card->probe().value();
    buffer = make_buffer(drmclient::PixelFormat::xrgb8888);
    drm.calls.clear();
  }

  /// Makes a buffer; the card's node is open as long as one exists.
  [[nodiscard]] std::unique_ptr<drmclient::ScanoutBuffer> make_buffer(drmclient::PixelFormat format) {
    auto made = card->create_buffer({1024, 768}, format);
    EXPECT_TRUE(made.has_value());
    return made ? std::move(*made) : nullptr;
  }
  /// Returns the output of a connector that was there at the start.
  [[nodiscard]] drmclient::Output& output(uint32_t connector) { return *outputs.at(connector - first); }
  [[nodiscard]] bool enable(uint32_t connector) {
    return output(connector).set_mode(mode, *buffer, {}).has_value();
  }
  /// Does what the presenter does in a frame: checks for preemption and presents. Returns false if preempted.
  [[nodiscard]] bool frame(uint32_t connector) {
    const drmclient::Rect damage{0, 0, 8, 8};
    return output(connector).scans_out_our_fb() &&
           card->present({output(connector), *buffer, {}, {&damage, 1}}).has_value();
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
  std::vector<drmclient::Output*> outputs;  ///< those at the start
  std::unique_ptr<drmclient::ScanoutBuffer> buffer;
};

}  // namespace unit
