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
/// serves virtual framebuffers on machines without a display. The tests derive a card with faults from it.
class HeadlessCard : public Card {
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

 protected:
  /// Makes a buffer in `memory`. The tests make a buffer whose mappings fail.
  [[nodiscard]] virtual base::Result<std::unique_ptr<HeadlessBuffer>> make_buffer(
      const HeadlessBuffer::Shape& shape, base::UniqueFd memory);
  /// Returns the cache that the card shares with its buffers.
  [[nodiscard]] const std::shared_ptr<MappingCache>& mappings() const { return mappings_; }

 private:
  HeadlessOptions options_;
  std::shared_ptr<MappingCache> mappings_;  ///< shared with the buffers
  CardInfo info_;
  base::Epoll epoll_;
  std::deque<HeadlessOutput> outputs_;
};

}  // namespace drmclient
