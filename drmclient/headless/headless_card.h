#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "drmclient/card.h"
#include "drmclient/headless/headless_buffer.h"
#include "drmclient/headless/headless_output.h"
#include "drmclient/headless_options.h"
#include "drmclient/mapping/mapping_cache.h"

namespace drmclient {

/// A card in memory with outputs "Virtual-1" and so on: any mode up to 8192x8192, and a timer for vblank. It
/// serves virtual framebuffers on machines without a display, and stands in for hardware in tests.
class HeadlessCard final : public Card {
 public:
  /// Of a mode and of a buffer.
  static constexpr Size largest = largest_headless_size;
  /// That of its first output; the others follow.
  static constexpr OutputId output_id = 1;
  /// What set_gamma() takes.
  static constexpr uint32_t gamma_entries = 256;

  /// Throws std::system_error: EINVAL where options.size is not from 8x8 to 8192x8192, or an errno of the
  /// kernel's.
  explicit HeadlessCard(HeadlessOptions options);
  HeadlessCard(const HeadlessCard&) = delete;
  HeadlessCard& operator=(const HeadlessCard&) = delete;
  ~HeadlessCard() override;

  [[nodiscard]] const CardInfo& info() const override { return info_; }
  [[nodiscard]] base::Result<std::vector<Output>> probe() override;
  [[nodiscard]] base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                           PixelFormat format) override;
  [[nodiscard]] base::Result<void> set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer,
                                            Point origin) override;
  [[nodiscard]] base::Result<void> present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                           std::span<const Rect> damage) override;
  void release(OutputId output) override;
  [[nodiscard]] base::Result<void> set_gamma(OutputId output, std::span<const GammaEntry> table) override;
  [[nodiscard]] base::Result<void> set_power(OutputId output, Power power) override;
  [[nodiscard]] base::Result<void> request_vblank(OutputId output) override;
  [[nodiscard]] int event_descriptor() const override { return epoll_.get(); }
  [[nodiscard]] base::Result<std::vector<Event>> read_events() override;
  [[nodiscard]] base::Result<Capture> capture(OutputId output) override;
  [[nodiscard]] DriverPaths driver_paths(OutputId output) const override;
  [[nodiscard]] MappingStatistics mapping_statistics() const override { return mappings_->statistics(); }
  void release_mappings() override { mappings_->release_all(); }

  /// For tests: every begin_access() fails with this errno from now on; 0: no more. The following faults are
  /// switched off in the same way.
  void refuse_accesses(int code) { faults_.refuse_accesses = code; }
  /// Mappings of the two kinds cannot be made.
  void refuse_mappings(int dumb, int dma_buf) {
    faults_.refuse_dumb = dumb;
    faults_.refuse_dma_buf = dma_buf;
  }
  /// What the next calls of DMA_BUF_IOCTL_SYNC give; those after them work.
  void fail_syncs(std::deque<int> codes) { faults_.syncs = std::move(codes); }
  /// present() fails.
  void refuse_presents(int code) { refuse_presents_ = code; }
  /// set_mode() fails.
  void refuse_modes(int code) { refuse_modes_ = code; }
  /// Pulls or plugs the cable: a HotplugEvent follows.
  void set_connected(bool connected, OutputId output = output_id);
  /// Another monitor: its modes have these sizes, best first, and no others can be set. A HotplugEvent
  /// follows.
  void set_monitor(std::vector<Size> sizes, OutputId output = output_id);

  /// Of its first output, as last set.
  [[nodiscard]] Power power() const { return outputs_.front().power; }
  /// The table that was last loaded for its first output; empty before.
  [[nodiscard]] const std::vector<GammaEntry>& gamma() const { return outputs_.front().gamma; }

 private:
  [[nodiscard]] HeadlessOutput* find(OutputId output);
  [[nodiscard]] Output describe(const HeadlessOutput& own, OutputId id) const;

  HeadlessOptions options_;
  std::shared_ptr<MappingCache> mappings_;  ///< the buffers share it
  HeadlessMappingFaults faults_;
  CardInfo info_;
  base::UniqueFd epoll_;
  base::UniqueFd hotplug_event_;
  std::deque<HeadlessOutput> outputs_;  ///< the first has the id 1
  int refuse_presents_ = 0;
  int refuse_modes_ = 0;
};

}  // namespace drmclient
