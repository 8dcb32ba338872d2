#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fbemu/damage/byte_range.h"

namespace fbemu {

/// Decides, tick by tick, how changes in mapped pages are found.
///
/// * tracked: the visible pages are cleaned at each tick, so that the kernel delivers exactly those that
/// changed. Each
///   changed page costs a write fault of the program and a request to us.
/// * hot: nothing is cleaned, the program draws without faults, and the whole visible area is uploaded at
/// each tick.
///   Now and then a sample of the pages is cleaned twice, a few ticks apart, to see whether the screen is
///   still busy.
///
/// No thread, no clock: ticks are the only time it knows. Not thread-safe.
class TrackingPolicy {
 public:
  enum class Mode { tracked, hot };

  /// Tracked turns hot where, over this many ticks, ...
  static constexpr size_t window_ticks = 16;
  /// ... on average more than this part of the visible pages changed at each tick. Delivering a page costs
  /// about as much as uploading sixteen (docs/performance.md).
  static constexpr uint64_t hot_fraction = 16;
  /// Fewer pages than this at each tick are always tracked: small screens gain nothing from going hot.
  static constexpr uint64_t smallest_hot_pages = 16;
  /// Hot: a sample is started every so many ticks (half a second at 60 Hz) ...
  static constexpr size_t sample_interval_ticks = 30;
  /// ... and judged so many ticks later: long enough to meet a video of 10 frames a second.
  static constexpr size_t sample_length_ticks = 6;
  /// A sample is this part of the visible pages, in this many runs spread over them.
  static constexpr uint64_t sample_fraction = 16;
  static constexpr uint64_t sample_runs = 16;

  /// What to do at one tick, in this order: clean, take the damage, report it with observe(), upload.
  struct Plan {
    std::vector<ByteRange> clean;  ///< page-aligned, inside the visible range but for rounding
    bool upload_live = false;      ///< upload the whole visible area from the live pages
  };

  /// Starts a tick. `visible` are the bytes of the visible lines; where they moved since the last tick
  /// (panning), the whole screen counts as changed.
  [[nodiscard]] Plan begin_tick(ByteRange visible);
  /// Ends the tick: the pages that mappings delivered since the last one, sorted and merged.
  void observe(std::span<const ByteRange> written_back);
  /// Forgets everything (no program has the framebuffer open any more): tracked.
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
  std::array<uint64_t, window_ticks> window_{};  ///< pages changed at each of the last ticks
  size_t window_position_ = 0;
  size_t ticks_in_hot_ = 0;
  bool moved_during_sample_ = false;
  uint64_t sample_number_ = 0;
  Sample sample_ = Sample::none;
  std::vector<ByteRange> sample_ranges_;
};

}  // namespace fbemu
