#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/epoll.h"
#include "base/event_fd.h"
#include "drmclient/card.h"
#include "drmclient/headless/headless_buffer.h"
#include "drmclient/headless/headless_output.h"
#include "drmclient/headless_options.h"
#include "drmclient/mapping/mapping_cache.h"

namespace drmclient {

/// A card in memory with outputs "Virtual-1" and so on, any mode up to 8192x8192, and vblanks of a timer. It
/// serves virtual framebuffers on machines without a display, and replaces hardware in tests.
class HeadlessCard final : public Card {
 public:
  /// Largest mode and buffer.
  static constexpr Size largest = largest_headless_size;
  /// Id of the first output; the other outputs have the next numbers.
  static constexpr OutputId output_id = 1;
  /// Length of the gamma table.
  static constexpr uint32_t gamma_entries = 256;

  /// Makes a card. Throws std::system_error: EINVAL if options.size is not from 8x8 to 8192x8192, or an errno
  /// of the kernel.
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

  /// Makes every begin_access() fail with `code`, until a call with 0. For tests, like the faults below.
  void refuse_accesses(int code) { faults_.refuse_accesses = code; }
  /// Makes mapping as a dumb buffer and as a dma-buf fail with these errnos.
  void refuse_mappings(int dumb, int dma_buf) {
    faults_.refuse_dumb = dumb;
    faults_.refuse_dma_buf = dma_buf;
  }
  /// Sets the results of the next calls of DMA_BUF_IOCTL_SYNC; later calls succeed.
  void fail_syncs(std::deque<int> codes) { faults_.syncs = std::move(codes); }
  /// Makes present() fail with `code`.
  void refuse_presents(int code) { refuse_presents_ = code; }
  /// Makes set_mode() fail with `code`.
  void refuse_modes(int code) { refuse_modes_ = code; }
  /// Plugs or unplugs the cable of `output`, which causes a HotplugEvent.
  void set_connected(bool connected, OutputId output = output_id);
  /// Connects another monitor, whose modes have `sizes`, best first; other modes cannot be set. Causes a
  /// HotplugEvent.
  void set_monitor(std::vector<Size> sizes, OutputId output = output_id);

  /// Returns the last power level of the first output.
  [[nodiscard]] Power power() const { return outputs_.front().power; }
  /// Returns the last gamma table of the first output; empty if none was loaded.
  [[nodiscard]] const std::vector<GammaEntry>& gamma() const { return outputs_.front().gamma; }

 private:
  [[nodiscard]] HeadlessOutput* find(OutputId output);
  [[nodiscard]] Output describe(const HeadlessOutput& own, OutputId id) const;

  HeadlessOptions options_;
  std::shared_ptr<MappingCache> mappings_;  ///< shared with the buffers
  HeadlessMappingFaults faults_;
  CardInfo info_;
  base::Epoll epoll_;
  base::EventFd hotplug_event_;
  std::deque<HeadlessOutput> outputs_;  ///< the first has the id 1
  int refuse_presents_ = 0;
  int refuse_modes_ = 0;
};

}  // namespace drmclient
