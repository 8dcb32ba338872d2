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

/// A card in memory with outputs "Virtual-1" and so on, any mode up to 8192x8192, and vblanks of a timer. It
/// serves virtual framebuffers on machines without a display, and replaces hardware in tests.
class HeadlessCard final : public Card {
 public:
  /// Largest mode and buffer.
  static constexpr Size largest = largest_headless_size;
  /// Makes a card. Throws std::system_error: EINVAL if options.size is not from 8x8 to 8192x8192, or an errno
  /// of the kernel.
  explicit HeadlessCard(HeadlessOptions options);
  HeadlessCard(const HeadlessCard&) = delete;
  HeadlessCard& operator=(const HeadlessCard&) = delete;
  ~HeadlessCard() override;

  [[nodiscard]] const CardInfo& info() const override { return info_; }
  [[nodiscard]] base::Result<std::vector<Output*>> probe() override;
  [[nodiscard]] base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                           PixelFormat format) override;
  [[nodiscard]] std::vector<base::Result<void>> present_all(std::span<const Frame> frames) override;
  [[nodiscard]] int event_descriptor() const override { return epoll_.get(); }
  [[nodiscard]] base::Result<std::vector<Event>> read_events() override;
  [[nodiscard]] MappingStatistics mapping_statistics() const override { return mappings_->statistics(); }
  void release_mappings() override { mappings_->release_all(); }

  /// Returns the output "Virtual-N", where N is `number`.
  [[nodiscard]] HeadlessOutput& output(unsigned number = 1) { return outputs_.at(number - 1); }

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
  void refuse_presents(int code) { faults_.refuse_presents = code; }
  /// Makes set_mode() fail with `code`.
  void refuse_modes(int code) { faults_.refuse_modes = code; }
  /// Plugs or unplugs the cable of the output `number`, which causes a HotplugEvent.
  void set_connected(bool connected, unsigned number = 1);
  /// Connects another monitor, as HeadlessOutput::set_monitor() does, which causes a HotplugEvent.
  void set_monitor(std::vector<Size> sizes, unsigned number = 1);

 private:
  HeadlessOptions options_;
  std::shared_ptr<MappingCache> mappings_;  ///< shared with the buffers
  HeadlessFaults faults_;
  CardInfo info_;
  base::UniqueFd epoll_;
  base::UniqueFd hotplug_event_;
  std::deque<HeadlessOutput> outputs_;
};

}  // namespace drmclient
