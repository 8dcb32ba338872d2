#include "fbemu/damage/tracking_policy.h"

#include <algorithm>
#include <numeric>

namespace fbemu {
namespace {

uint64_t pages_in(std::span<const ByteRange> ranges) {
  uint64_t pages = 0;
  for (const ByteRange& range : ranges) pages += (range.size() + page_size - 1) / page_size;
  return pages;
}

uint64_t bytes_in_both(std::span<const ByteRange> a, std::span<const ByteRange> b) {
  uint64_t bytes = 0;
  for (const ByteRange& first : a) {
    for (const ByteRange& second : b) bytes += first.clipped_to(second).size();
  }
  return bytes;
}

}  // namespace

TrackingPolicy::Plan TrackingPolicy::begin_tick(ByteRange visible) {
  moved_ = visible_pages_ != 0 && visible != visible_;
  visible_ = visible;
  const ByteRange pages{visible.begin / page_size * page_size, round_up_to_page(visible.end)};
  visible_pages_ = pages.size() / page_size;

  Plan plan;
  sample_ = Sample::none;
  if (mode_ == Mode::tracked) {
    plan.clean.push_back(pages);
    plan.upload_live = moved_;
    return plan;
  }
  plan.upload_live = true;
  ++ticks_in_hot_;
  moved_during_sample_ = moved_during_sample_ || moved_;
  if (ticks_in_hot_ == sample_interval_ticks) {
    sample_ = Sample::opening;
    ++sample_number_;
    sample_ranges_ = make_sample();
    moved_during_sample_ = false;
    plan.clean = sample_ranges_;
  } else if (ticks_in_hot_ == sample_interval_ticks + sample_length_ticks) {
    sample_ = Sample::closing;
    plan.clean = sample_ranges_;
  }
  return plan;
}

void TrackingPolicy::observe(std::span<const ByteRange> written_back) {
  if (mode_ == Mode::tracked) {
    observe_tracked(moved_ ? visible_pages_ : pages_in(written_back));
  } else if (sample_ == Sample::closing) {
    observe_sample(written_back);
  }
}

void TrackingPolicy::observe_tracked(uint64_t changed_pages) {
  window_[window_position_] = changed_pages;
  window_position_ = (window_position_ + 1) % window_ticks;
  const uint64_t in_window = std::accumulate(window_.begin(), window_.end(), uint64_t{0});
  // Multiplied instead of divided, so that rounding never makes one full redraw in the window exceed the
  // fraction.
  const uint64_t threshold = std::max(visible_pages_, smallest_hot_pages * hot_fraction) * window_ticks;
  if (in_window * hot_fraction > threshold) enter_hot();
}

void TrackingPolicy::enter_hot() {
  mode_ = Mode::hot;
  window_.fill(0);
  ticks_in_hot_ = 0;
  moved_during_sample_ = false;
}

void TrackingPolicy::observe_sample(std::span<const ByteRange> written_back) {
  const uint64_t changed = bytes_in_both(written_back, sample_ranges_);
  const uint64_t sampled = pages_in(sample_ranges_) * page_size;
  ticks_in_hot_ = 0;
  // A program that pans draws outside the sample, so a pan during the sample counts as busy.
  if (!moved_during_sample_ && changed * hot_fraction < sampled) reset();
}

void TrackingPolicy::reset() {
  mode_ = Mode::tracked;
  window_.fill(0);
  ticks_in_hot_ = 0;
  sample_ = Sample::none;
}

std::vector<ByteRange> TrackingPolicy::make_sample() const {
  const uint64_t runs = std::min(sample_runs, visible_pages_);
  const uint64_t run_pages =
      std::max<uint64_t>(visible_pages_ / sample_fraction / std::max<uint64_t>(runs, 1), 1);
  const uint64_t stride = visible_pages_ / std::max<uint64_t>(runs, 1);
  const uint64_t first_page = visible_.begin / page_size;
  const auto pages = [&](uint64_t begin, uint64_t end) {
    return ByteRange{(first_page + begin) * page_size, (first_page + end) * page_size};
  };
  std::vector<ByteRange> ranges;
  for (uint64_t run = 0; run < runs; ++run) {
    // Each sample starts further on, so that over time the samples cover the whole screen.
    const uint64_t begin = (run * stride + sample_number_ * run_pages) % visible_pages_;
    const uint64_t end = begin + run_pages;
    ranges.push_back(pages(begin, std::min(end, visible_pages_)));
    if (end > visible_pages_) ranges.push_back(pages(0, end - visible_pages_));
  }
  return ranges;
}

}  // namespace fbemu
