#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/faulty_card.h"
#include "tests/support/forwarding_output.h"

namespace unit {

/// A headless card with a strict display and moving mappings. The test triggers its vblanks, switches its
/// faults on from any thread, and reads which calls were made.
class SteppedCard final : public drmclient::Card {
 public:
  enum class Vblanks { stepped, at_once };

  SteppedCard(FaultyOptions options, Vblanks vblanks)
      : inner_(strict(std::move(options))),
        vblanks_(vblanks),
        event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    for (size_t i = 0; i < inner_.probe()->size(); ++i) outputs_.emplace_back(*this, outputs_.size() + 1);
  }

  /// Returns the output "Virtual-N", where N is `number`.
  [[nodiscard]] drmclient::Output& output(unsigned number = 1) { return outputs_.at(number - 1); }
  const drmclient::CardInfo& info() const override { return info_; }
  /// Makes the card shared, as KmsCard is: outputs are enabled only while a program draws.
  void share() { info_.shared = true; }
  bool has_console() const override { return console; }
  base::Result<void> check_master() override {
    if (gone) return base::failure(ENODEV);
    if (other_master) return base::failure(EBUSY);
    return {};
  }
  base::Result<std::vector<drmclient::Output*>> probe() override {
    inner_.set_connected(connected);
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [number, plugged] : others_) inner_.set_connected(plugged, number);
      for (const auto& [number, sizes] : monitors_) inner_.set_monitor(sizes, number);
      if (!monitor_.empty()) inner_.set_monitor(monitor_);
    }
    BASE_TRY(inner_.probe());
    std::vector<drmclient::Output*> outputs;
    for (SteppedOutput& output : outputs_) {
      output.probe();
      outputs.push_back(&output);
    }
    return outputs;
  }
  base::Result<std::unique_ptr<drmclient::ScanoutBuffer>> create_buffer(
      drmclient::Size size, drmclient::PixelFormat format) override {
    if (no_memory_for_buffers) throw std::bad_alloc();
    if (refuse_buffers != 0) return base::failure(refuse_buffers);
    if (refuse_format == format) return base::failure(EINVAL);
    return inner_.create_buffer(size, format);
  }
  std::vector<base::Result<void>> present_all(std::span<const drmclient::Frame> frames) override {
    std::vector<base::Result<void>> results;
    for (const drmclient::Frame& frame : frames) results.push_back(present_one(frame));
    return results;
  }
  int event_descriptor() const override { return event_.get(); }
  base::Result<std::vector<drmclient::Event>> read_events() override {
    const std::lock_guard lock(mutex_);
    uint64_t count = 0;
    static_cast<void>(::read(event_.get(), &count, sizeof count));
    std::vector<drmclient::Event> events;
    const unsigned number = std::exchange(vblank_, false) ? std::exchange(requested_, 0) : 0;
    if (number != 0) events.emplace_back(drmclient::VblankEvent{&output(number), ++sequence_, {}});
    if (std::exchange(hotplug_, false)) events.emplace_back(drmclient::HotplugEvent{});
    if (std::exchange(resumed_, false)) events.emplace_back(drmclient::ResumeEvent{});
    return events;
  }
  drmclient::MappingStatistics mapping_statistics() const override { return inner_.mapping_statistics(); }
  void release_mappings() override {
    ++mapping_releases;
    inner_.release_mappings();
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
  /// Returns the number of the output whose vblank is requested; 0 if there is none.
  [[nodiscard]] unsigned wanted_vblank() const {
    const std::lock_guard lock(mutex_);
    return requested_;
  }
  /// Plugs or unplugs an output other than the first.
  void plug_other(unsigned number, bool is_connected, std::vector<drmclient::Size> sizes = {}) {
    const std::lock_guard lock(mutex_);
    others_[number] = is_connected;
    if (!sizes.empty()) monitors_[number] = std::move(sizes);
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
  std::atomic<unsigned> refuse_presents_of{0};  ///< number of an output
  std::atomic<int> refuse_modes{0};
  std::atomic<unsigned> refuse_modes_of{0};  ///< number of an output
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
  class SteppedOutput final : public ForwardingOutput {
   public:
    SteppedOutput(SteppedCard& card, size_t number)
        : ForwardingOutput(
              static_cast<drmclient::Output&>(card.inner_.output(static_cast<unsigned>(number)))),
          card_(card),
          number_(static_cast<unsigned>(number)),
          info_(inner().info()) {}

    void probe() {
      info_ = inner().info();
      if (number_ == 1 && card_.no_custom_modes) info_.custom_modes_up_to = {};
    }
    const drmclient::OutputInfo& info() const override { return info_; }
    base::Result<void> set_mode(const drmclient::Mode& mode, drmclient::ScanoutBuffer& buffer,
                                drmclient::Point origin) override {
      card_.inner_.refuse_modes(card_.other_master ? EBUSY : card_.refuse_modes.load());
      const bool enabled = card_.enabled_.contains(number_);
      if (!enabled && card_.enabled_.size() >= card_.crtcs) card_.inner_.refuse_modes(ENOSPC);
      if (card_.refuse_modes_of == number_) card_.inner_.refuse_modes(EINVAL);
      const auto set = inner().set_mode(mode, buffer, origin);
      if (set) card_.enabled_.insert(number_);
      return set;
    }
    void release() override {
      ++card_.releases;
      card_.enabled_.erase(number_);
      inner().release();
    }
    void release_without_restore() override {
      ++card_.leaves;
      card_.enabled_.erase(number_);
      inner().release();
    }
    bool scans_out_our_fb() override { return !card_.other_master && !card_.replaced && !card_.gone; }
    bool shows_previous_fb() override { return card_.replaced_by_console; }
    base::Result<void> set_power(drmclient::Power power) override {
      if (card_.refuse_powers != 0) return base::failure(card_.refuse_powers);
      return inner().set_power(power);
    }
    base::Result<void> request_vblank() override { return card_.request_vblank_of(number_); }
    base::Result<drmclient::Capture> capture() override {
      card_.inner_.refuse_accesses(0);
      return inner().capture();
    }

   private:
    SteppedCard& card_;
    unsigned number_;
    drmclient::OutputInfo info_;
  };

  [[nodiscard]] unsigned number_of(const drmclient::Output& output) const {
    unsigned number = 1;
    while (&outputs_.at(number - 1) != &output) ++number;
    return number;
  }
  base::Result<void> present_one(const drmclient::Frame& frame) {
    if (no_memory_to_present) throw std::bad_alloc();
    const unsigned number = number_of(frame.output);
    inner_.refuse_presents(other_master ? EBUSY : refuse_presents.load());
    if (refuse_presents_of == number) inner_.refuse_presents(EIO);
    {
      const std::lock_guard lock(mutex_);
      presented_.emplace_back(frame.damage.begin(), frame.damage.end());
    }
    const auto result = inner_.present({inner_.output(number), frame.buffer, frame.origin, frame.damage});
    inner_.refuse_accesses(refuse_accesses);
    return result;
  }
  base::Result<void> request_vblank_of(unsigned number) {
    if (no_memory_to_ask) throw std::bad_alloc();
    inner_.refuse_accesses(refuse_accesses);
    if (refuse_vblanks != 0) return base::failure(refuse_vblanks);
    const std::lock_guard lock(mutex_);
    requested_ = number;
    changed_.notify_all();
    if (vblanks_ == Vblanks::at_once) raise(vblank_);
    return {};
  }
  static FaultyOptions strict(FaultyOptions options) {
    options.strict_display = true;
    options.moving_mappings = true;
    return options;
  }
  void raise(bool& what) {
    what = true;
    const uint64_t one = 1;
    static_cast<void>(::write(event_.get(), &one, sizeof one));
  }

  FaultyCard inner_;
  std::deque<SteppedOutput> outputs_;
  drmclient::CardInfo info_ = inner_.info();
  std::vector<drmclient::Size> monitor_;
  bool resumed_ = false;
  Vblanks vblanks_;
  base::UniqueFd event_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  unsigned requested_ = 0;      ///< number of an output; 0 if no vblank is requested
  std::set<unsigned> enabled_;  ///< numbers of outputs
  std::map<unsigned, bool> others_;
  std::map<unsigned, std::vector<drmclient::Size>> monitors_;
  bool vblank_ = false;
  bool hotplug_ = false;
  uint32_t sequence_ = 0;
  std::vector<std::vector<drmclient::Rect>> presented_;
};

}  // namespace unit
