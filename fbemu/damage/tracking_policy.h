#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

/// A policy that decides at each tick how changes in mapped pages are found.
///
/// Tracked: the visible pages are cleaned at each tick, so the kernel delivers exactly the changed ones. Each
/// changed page costs the program a write fault and the daemon a request.
///
/// Hot: no page is cleaned, programs draw without faults, and the whole visible area is uploaded at each
/// tick. At intervals, a sample of the pages is cleaned twice, a few ticks apart, to find out if the screen
/// is still busy.
///
/// It has no thread and no clock, and counts time in ticks. Not thread-safe.
class TrackingPolicy {
 public:
  enum class Mode { tracked, hot };

  /// Number of ticks over which changed pages are averaged.
  static constexpr size_t window_ticks = 16;
  /// Tracked becomes hot if, on average over the window, more than 1 / hot_fraction of the visible pages
  /// change at each tick. Delivering a page costs about as much as uploading 16 (docs/performance.md).
  static constexpr uint64_t hot_fraction = 16;
  /// Hot also requires more than this many changed pages a tick on average, because small screens gain
  /// nothing.
  static constexpr uint64_t smallest_hot_pages = 16;
  /// Ticks between two samples while hot; half a second at 60 Hz.
  static constexpr size_t sample_interval_ticks = 30;
  /// Ticks between the two cleanings of a sample; long enough for a change in a video of 10 frames a second.
  static constexpr size_t sample_length_ticks = 6;
  /// A sample is 1 / sample_fraction of the visible pages, in sample_runs runs spread over them.
  static constexpr uint64_t sample_fraction = 16;
  static constexpr uint64_t sample_runs = 16;

  /// The steps of one tick, in this order: clean, take the damage, report it with observe(), upload.
  struct Plan {
    std::vector<ByteRange> clean;  ///< page-aligned; inside the visible range before rounding
    bool upload_live = false;      ///< True if the whole visible area is to be uploaded from the page cache.
  };

  /// Starts a tick. `visible` is the range of the visible lines. If it moved since the last tick (panning),
  /// the whole screen counts as changed.
  [[nodiscard]] Plan begin_tick(ByteRange visible);
  /// Ends the tick. `written_back` has the pages that mappings delivered since the last tick, sorted and
  /// merged.
  void observe(std::span<const ByteRange> written_back);
  /// Returns to tracked and discards the window, for when no program has the framebuffer open.
  void reset();

  [[nodiscard]] Mode mode() const { return mode_; }

 private:
  enum class Sample { none, opening, closing };
  [[nodiscard]] std::vector<ByteRange> make_sample() const;
  void enter_hot();
  void observe_tracked(uint64_t changed_pages);
  void observe_sample(std::span<const ByteRange> written_back);

  Mode mode_ = Mode::tracked;
  ByteRange visible_;
  uint64_t visible_pages_ = 0;
  bool moved_ = false;
  std::array<uint64_t, window_ticks> window_{};  ///< pages changed at each of the last window_ticks ticks
  size_t window_position_ = 0;
  size_t ticks_in_hot_ = 0;
  bool moved_during_sample_ = false;
  uint64_t sample_number_ = 0;
  Sample sample_ = Sample::none;
  std::vector<ByteRange> sample_ranges_;
};

}  // namespace fbemu
