#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/epoll.h"
#include "base/event_fd.h"
#include "drmclient/headless/headless_card.h"
#include "tests/support/faulty_buffer.h"
#include "tests/support/forwarding_output.h"

namespace unit {

/// Options of a FaultyCard.
struct FaultyOptions : drmclient::HeadlessOptions {
  FaultyOptions(drmclient::HeadlessOptions options = {})  // NOLINT(google-explicit-constructor)
      : drmclient::HeadlessOptions(std::move(options)) {}

  bool moving_mappings = false;            ///< MappingFaults::moving
  bool mappings_for_uploads_only = false;  ///< MappingFaults::only_for_uploads
  bool incoherent_dma_bufs = false;        ///< MappingFaults::incoherent
  /// The screen is a copy of the buffer that is updated only inside the damage of present(), as on vmwgfx.
  bool strict_display = false;
  /// A new buffer is filled with bytes of 0xa5, like used memory.
  bool dirty_buffers = false;
};

/// Faults of a FaultyCard. An errno of 0 means no error.
struct CardFaults {
  MappingFaults mappings;
  int refuse_modes = 0;     ///< errno of set_mode()
  int refuse_presents = 0;  ///< errno of present()
};

/// An output of a FaultyCard with a cable, a monitor and a strict display.
class FaultyOutput final : public ForwardingOutput {
 public:
  FaultyOutput(drmclient::HeadlessOutput& headless, const FaultyOptions& options, const CardFaults& faults)
      : ForwardingOutput(headless), headless_(headless), strict_(options.strict_display), faults_(faults) {
    probe();
  }

  /// Updates info(), for Card::probe().
  void probe() {
    info_ = headless_.info();
    info_.connected = connected;
    if (!monitor.empty()) {
      info_.custom_modes_up_to = {};
      info_.takes_any_timing = false;
      info_.modes.clear();
      for (const drmclient::Size size : monitor) info_.modes.push_back(drmclient::make_mode(size));
      info_.modes.front().preferred = true;
    }
    if (!connected) info_.modes.clear();
    if (!connected || !monitor.empty()) info_.size_mm = {};
  }
  [[nodiscard]] const drmclient::OutputInfo& info() const override { return info_; }

  [[nodiscard]] base::Result<void> set_mode(const drmclient::Mode& mode, drmclient::ScanoutBuffer& buffer,
                                            drmclient::Point origin) override {
    if (faults_.refuse_modes != 0) return base::failure(faults_.refuse_modes);
    if (!monitor.empty() && std::ranges::find(monitor, mode.size()) == monitor.end()) {
      return base::failure(EINVAL);
    }
    BASE_TRY(check_scan_out());
    BASE_TRY(headless_.set_mode(mode, buffer, origin));
    front_ = &buffer;
    viewport_ = drmclient::Rect::of(mode.size(), origin);
    // A monitor shows the pixels that are in the buffer at the mode set. Later changes must be presented.
    if (strict_) screen_ = BASE_TRY(scan_out(buffer, viewport_)).pixels;
    return {};
  }
  [[nodiscard]] base::Result<void> present(drmclient::ScanoutBuffer& buffer, drmclient::Point origin,
                                           std::span<const drmclient::Rect> damage) {
    if (faults_.refuse_presents != 0) return base::failure(faults_.refuse_presents);
    BASE_TRY(check_scan_out());
    BASE_TRY(headless_.present(buffer, origin, damage));
    const drmclient::Rect viewport = drmclient::Rect::of(viewport_.size(), origin);
    const bool flip = &buffer != std::exchange(front_, &buffer) || viewport != viewport_;
    viewport_ = viewport;
    if (!strict_) return {};
    for (const drmclient::Rect& rect : flip ? std::span(&viewport, 1) : damage) {
      BASE_TRY(copy_to_screen(buffer, rect.clipped_to(viewport)));
    }
    return {};
  }
  [[nodiscard]] base::Result<drmclient::Capture> capture() override {
    if (!strict_ && faults_.mappings.refuse_accesses != 0) {
      return base::failure(faults_.mappings.refuse_accesses);
    }
    auto captured = BASE_TRY(headless_.capture());
    if (strict_ && power() == drmclient::Power::on) captured.pixels = screen_;
    return captured;
  }
  [[nodiscard]] drmclient::Power power() const { return headless_.power(); }
  [[nodiscard]] const std::vector<drmclient::GammaEntry>& gamma() const { return headless_.gamma(); }

  bool connected = true;
  std::vector<drmclient::Size> monitor;  ///< sizes of the monitor's modes; empty: any size

 private:
  /// Returns an error if a strict display cannot read a buffer.
  [[nodiscard]] base::Result<void> check_scan_out() const {
    if (strict_ && faults_.mappings.refuse_accesses != 0) {
      return base::failure(faults_.mappings.refuse_accesses);
    }
    return {};
  }
  static base::Result<drmclient::Capture> scan_out(drmclient::ScanoutBuffer& buffer,
                                                   const drmclient::Rect& area) {
    return dynamic_cast<drmclient::HeadlessBuffer&>(buffer).scan_out(area);
  }
  base::Result<void> copy_to_screen(drmclient::ScanoutBuffer& buffer, const drmclient::Rect& visible) {
    if (visible.empty()) return {};
    const drmclient::Capture changed = BASE_TRY(scan_out(buffer, visible));
    for (uint32_t line = 0; line < changed.size.height; ++line) {
      const size_t from = size_t{line} * changed.size.width;
      const size_t to = (static_cast<size_t>(visible.y1 - viewport_.y1) + line) * viewport_.width() +
                        static_cast<size_t>(visible.x1 - viewport_.x1);
      std::copy_n(changed.pixels.begin() + static_cast<ptrdiff_t>(from), changed.size.width,
                  screen_.begin() + static_cast<ptrdiff_t>(to));
    }
    return {};
  }

  drmclient::HeadlessOutput& headless_;
  bool strict_;
  const CardFaults& faults_;
  drmclient::OutputInfo info_;
  const drmclient::ScanoutBuffer* front_ = nullptr;
  drmclient::Rect viewport_;
  std::vector<uint32_t> screen_;  ///< pixels on the monitor, if strict_
};

/// A headless card with faults that the test switches on, and outputs that can be unplugged.
class FaultyCard final : public drmclient::HeadlessCard {
 public:
  explicit FaultyCard(FaultyOptions options) : HeadlessCard(options), options_(std::move(options)) {
    faults_.mappings.moving = options_.moving_mappings;
    faults_.mappings.only_for_uploads = options_.mappings_for_uploads_only;
    faults_.mappings.incoherent = options_.incoherent_dma_bufs;
    epoll_.watch(HeadlessCard::event_descriptor());
    epoll_.watch(hotplug_event_.get());
    for (unsigned i = 0; i < std::max(options_.outputs, 1U); ++i) {
      outputs_.emplace_back(HeadlessCard::output(i + 1), options_, faults_);
    }
  }

  /// Returns the output "Virtual-N", where N is `number`.
  [[nodiscard]] FaultyOutput& output(unsigned number = 1) { return outputs_.at(number - 1); }

  [[nodiscard]] base::Result<std::vector<drmclient::Output*>> probe() override {
    std::vector<drmclient::Output*> outputs;
    for (FaultyOutput& output : outputs_) {
      output.probe();
      outputs.push_back(&output);
    }
    return outputs;
  }
  [[nodiscard]] std::vector<base::Result<void>> present_all(
      std::span<const drmclient::Frame> frames) override {
    std::vector<base::Result<void>> results;
    for (const drmclient::Frame& frame : frames) {
      results.push_back(
          dynamic_cast<FaultyOutput&>(frame.output).present(frame.buffer, frame.origin, frame.damage));
    }
    return results;
  }
  [[nodiscard]] int event_descriptor() const override { return epoll_.get(); }
  [[nodiscard]] base::Result<std::vector<drmclient::Event>> read_events() override {
    auto events = BASE_TRY(HeadlessCard::read_events());
    for (drmclient::Event& event : events) {
      auto& vblank = std::get<drmclient::VblankEvent>(event);
      for (unsigned i = 0; i < outputs_.size(); ++i) {
        if (vblank.output == &HeadlessCard::output(i + 1)) vblank.output = &outputs_.at(i);
      }
    }
    if (hotplug_event_.clear()) events.emplace_back(drmclient::HotplugEvent{});
    return events;
  }

  /// Makes every begin_access() fail with `code`, until a call with 0.
  void refuse_accesses(int code) { faults_.mappings.refuse_accesses = code; }
  /// Makes mapping as a dumb buffer and as a dma-buf fail with these errnos.
  void refuse_mappings(int dumb, int dma_buf) {
    faults_.mappings.refuse_dumb = dumb;
    faults_.mappings.refuse_dma_buf = dma_buf;
  }
  /// Sets the results of the next calls of DMA_BUF_IOCTL_SYNC; later calls succeed.
  void fail_syncs(std::deque<int> codes) { faults_.mappings.syncs = std::move(codes); }
  /// Makes present() fail with `code`.
  void refuse_presents(int code) { faults_.refuse_presents = code; }
  /// Makes set_mode() fail with `code`.
  void refuse_modes(int code) { faults_.refuse_modes = code; }
  /// Plugs or unplugs the cable of the output `number`, which causes a HotplugEvent.
  void set_connected(bool connected, unsigned number = 1) {
    if (std::exchange(output(number).connected, connected) != connected) hotplug_event_.signal();
  }
  /// Connects another monitor, whose modes have `sizes`, best first; other modes cannot be set. Causes a
  /// HotplugEvent.
  void set_monitor(std::vector<drmclient::Size> sizes, unsigned number = 1) {
    output(number).monitor = std::move(sizes);
    hotplug_event_.signal();
  }

 private:
  [[nodiscard]] base::Result<std::unique_ptr<drmclient::HeadlessBuffer>> make_buffer(
      const drmclient::HeadlessBuffer::Shape& shape, base::UniqueFd memory) override {
    if (options_.dirty_buffers) {
      const std::string used(size_t{shape.pitch_bytes} * shape.size.height, '\xa5');
      if (::pwrite(memory.get(), used.data(), used.size(), 0) != static_cast<ssize_t>(used.size())) {
        return base::failure(ENOSPC);
      }
    }
    return std::make_unique<FaultyBuffer>(shape, std::move(memory), mappings(), options_.mapping,
                                          faults_.mappings);
  }

  FaultyOptions options_;
  CardFaults faults_;
  base::Epoll epoll_;
  base::EventFd hotplug_event_;
  std::deque<FaultyOutput> outputs_;
};

}  // namespace unit
