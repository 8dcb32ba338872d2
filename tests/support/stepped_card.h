#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "drmclient/headless/headless_card.h"
#include "tests/support/eventually.h"

namespace unit {

/// A headless card with a strict display and moving mappings. The test triggers its vblanks, switches its
/// faults on from any thread, and reads which calls were made.
class SteppedCard final : public drmclient::Card {
 public:
  enum class Vblanks { stepped, at_once };

  SteppedCard(drmclient::HeadlessOptions options, Vblanks vblanks)
      : inner_(strict(std::move(options))),
        vblanks_(vblanks),
        event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  const drmclient::CardInfo& info() const override { return info_; }
  /// Makes the card shared, as KmsCard is: outputs are enabled only while a program draws.
  void share() { info_.shared = true; }
  bool has_console() const override { return console; }
  void release(drmclient::OutputId output) override {
    ++releases;
    enabled_.erase(output);
    inner_.release(output);
  }
  void release_without_restore(drmclient::OutputId output) override {
    ++leaves;
    enabled_.erase(output);
    inner_.release(output);
  }
  bool scans_out_our_fb(drmclient::OutputId) override { return !other_master && !replaced && !gone; }
  bool shows_previous_fb(drmclient::OutputId) override { return replaced_by_console; }
  base::Result<void> check_master() override {
    if (gone) return base::failure(ENODEV);
    if (other_master) return base::failure(EBUSY);
    return {};
  }
  base::Result<std::vector<drmclient::Output>> probe() override {
    inner_.set_connected(connected);
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [output, plugged] : others_) inner_.set_connected(plugged, output);
      for (const auto& [output, sizes] : monitors_) inner_.set_monitor(sizes, output);
      if (!monitor_.empty()) inner_.set_monitor(monitor_);
    }
    auto outputs = inner_.probe();
    if (no_custom_modes) outputs->front().custom_modes_up_to = {};
    return outputs;
  }
  base::Result<std::unique_ptr<drmclient::ScanoutBuffer>> create_buffer(
      drmclient::Size size, drmclient::PixelFormat format) override {
    if (no_memory_for_buffers) throw std::bad_alloc();
    if (refuse_buffers != 0) return base::failure(refuse_buffers);
    if (refuse_format == format) return base::failure(EINVAL);
    return inner_.create_buffer(size, format);
  }
  base::Result<void> set_mode(drmclient::OutputId output, const drmclient::Mode& mode,
                              drmclient::ScanoutBuffer& buffer, drmclient::Point origin) override {
    inner_.refuse_modes(other_master ? EBUSY : refuse_modes.load());
    if (!enabled_.contains(output) && enabled_.size() >= crtcs) inner_.refuse_modes(ENOSPC);
    if (refuse_modes_of == output) inner_.refuse_modes(EINVAL);
    const auto set = inner_.set_mode(output, mode, buffer, origin);
    if (set) enabled_.insert(output);
    return set;
  }
  base::Result<void> present(drmclient::OutputId output, drmclient::ScanoutBuffer& buffer,
                             drmclient::Point origin, std::span<const drmclient::Rect> damage) override {
    if (no_memory_to_present) throw std::bad_alloc();
    inner_.refuse_presents(other_master ? EBUSY : refuse_presents.load());
    if (refuse_presents_of == output) inner_.refuse_presents(EIO);
    {
      const std::lock_guard lock(mutex_);
      presented_.emplace_back(damage.begin(), damage.end());
    }
    const auto result = inner_.present(output, buffer, origin, damage);
    inner_.refuse_accesses(refuse_accesses);
    return result;
  }
  base::Result<void> set_gamma(drmclient::OutputId output,
                               std::span<const drmclient::GammaEntry> table) override {
    return inner_.set_gamma(output, table);
  }
  base::Result<void> set_power(drmclient::OutputId output, drmclient::Power power) override {
    if (refuse_powers != 0) return base::failure(refuse_powers);
    return inner_.set_power(output, power);
  }
  base::Result<void> request_vblank(drmclient::OutputId output) override {
    if (no_memory_to_ask) throw std::bad_alloc();
    inner_.refuse_accesses(refuse_accesses);
    if (refuse_vblanks != 0) return base::failure(refuse_vblanks);
    const std::lock_guard lock(mutex_);
    requested_ = output;
    changed_.notify_all();
    if (vblanks_ == Vblanks::at_once) raise(vblank_);
    return {};
  }
  int event_descriptor() const override { return event_.get(); }
  base::Result<std::vector<drmclient::Event>> read_events() override {
    const std::lock_guard lock(mutex_);
    uint64_t count = 0;
    static_cast<void>(::read(event_.get(), &count, sizeof count));
    std::vector<drmclient::Event> events;
    const drmclient::OutputId output = std::exchange(vblank_, false) ? std::exchange(requested_, 0) : 0;
    if (output != 0) events.emplace_back(drmclient::VblankEvent{output, ++sequence_, {}});
    if (std::exchange(hotplug_, false)) events.emplace_back(drmclient::HotplugEvent{});
    if (std::exchange(resumed_, false)) events.emplace_back(drmclient::ResumeEvent{});
    return events;
  }
  drmclient::DriverPaths driver_paths(drmclient::OutputId output) const override {
    return inner_.driver_paths(output);
  }
  drmclient::MappingStatistics mapping_statistics() const override { return inner_.mapping_statistics(); }
  void release_mappings() override {
    ++mapping_releases;
    inner_.release_mappings();
  }
  base::Result<drmclient::Capture> capture(drmclient::OutputId output) override {
    inner_.refuse_accesses(0);
    return inner_.capture(output);
  }

  /// Waits until a vblank is requested, and triggers it. Returns false if none is requested.
  [[nodiscard]] bool step() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, timeout, [&] { return requested_ != 0; })) return false;
    raise(vblank_);
    return true;
  }
  [[nodiscard]] bool wants_vblank() const {
    const std::lock_guard lock(mutex_);
    return requested_ != 0;
  }
  /// Returns the output whose vblank is requested.
  [[nodiscard]] drmclient::OutputId wanted_vblank() const {
    const std::lock_guard lock(mutex_);
    return requested_;
  }
  /// Plugs or unplugs an output other than the first.
  void plug_other(drmclient::OutputId output, bool is_connected, std::vector<drmclient::Size> sizes = {}) {
    const std::lock_guard lock(mutex_);
    others_[output] = is_connected;
    if (!sizes.empty()) monitors_[output] = std::move(sizes);
    raise(hotplug_);
  }
  void plug(bool is_connected) {
    connected = is_connected;
    const std::lock_guard lock(mutex_);
    raise(hotplug_);
  }
  /// Plugs in another monitor with these modes.
  void plug_monitor(std::vector<drmclient::Size> sizes) {
    const std::lock_guard lock(mutex_);
    monitor_ = std::move(sizes);
    raise(hotplug_);
  }
  void resume() {
    const std::lock_guard lock(mutex_);
    raise(resumed_);
  }
  /// Returns the damage of each present() since the last call.
  [[nodiscard]] std::vector<std::vector<drmclient::Rect>> take_presented() {
    const std::lock_guard lock(mutex_);
    return std::exchange(presented_, {});
  }

  std::atomic<int> refuse_accesses{0};
  std::atomic<int> refuse_presents{0};
  std::atomic<drmclient::OutputId> refuse_presents_of{0};
  std::atomic<int> refuse_modes{0};
  std::atomic<drmclient::OutputId> refuse_modes_of{0};
  std::atomic<size_t> crtcs{SIZE_MAX};
  std::atomic<int> refuse_buffers{0};
  /// Set while no other thread uses the card.
  std::optional<drmclient::PixelFormat> refuse_format;
  std::atomic<int> refuse_powers{0};
  std::atomic<int> refuse_vblanks{0};
  /// Calls throw std::bad_alloc: present(), request_vblank(), create_buffer().
  std::atomic<bool> no_memory_to_present{false};
  std::atomic<bool> no_memory_to_ask{false};
  std::atomic<bool> no_memory_for_buffers{false};
  std::atomic<bool> connected{true};
  std::atomic<bool> console{true};
  /// Another process is DRM master, and its framebuffer is scanned out.
  std::atomic<bool> other_master{false};
  std::atomic<bool> replaced{false};
  std::atomic<bool> replaced_by_console{false};
  /// The card was unplugged, and no event has reported it yet.
  std::atomic<bool> gone{false};
  std::atomic<unsigned> releases{0};
  std::atomic<unsigned> leaves{0};
  std::atomic<unsigned> mapping_releases{0};
  std::atomic<bool> no_custom_modes{false};

 private:
  static drmclient::HeadlessOptions strict(drmclient::HeadlessOptions options) {
    options.strict_display = true;
    options.moving_mappings = true;
    return options;
  }
  void raise(bool& what) {
    what = true;
    const uint64_t one = 1;
    static_cast<void>(::write(event_.get(), &one, sizeof one));
  }

  drmclient::HeadlessCard inner_;
  drmclient::CardInfo info_ = inner_.info();
  std::vector<drmclient::Size> monitor_;
  bool resumed_ = false;
  Vblanks vblanks_;
  base::UniqueFd event_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  drmclient::OutputId requested_ = 0;
  std::set<drmclient::OutputId> enabled_;
  std::map<drmclient::OutputId, bool> others_;
  std::map<drmclient::OutputId, std::vector<drmclient::Size>> monitors_;
  bool vblank_ = false;
  bool hotplug_ = false;
  uint32_t sequence_ = 0;
  std::vector<std::vector<drmclient::Rect>> presented_;
};

}  // namespace unit
