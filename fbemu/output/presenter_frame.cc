// The work of a Presenter in one frame.

#include <spdlog/spdlog.h>

#include <algorithm>

#include "fbemu/output/presenter.h"

namespace fbemu {

using base::failure;
using base::MutexLock;
using base::Result;
using drmclient::Capture;

/// Counts a frame, and those that passed while no request waited.
void Presenter::count_vblank() {
  const auto now = clock_.now();
  const auto period = outputs_.fb_state().mode.frame_period();
  const MutexLock lock(mutex_);
  const auto frames = (now - vblank_time_.value_or(now) + period / 2) / period;
  vblanks_ += static_cast<uint32_t>(std::max<int64_t>(frames, 1));
  vblank_time_ = now;
}

uint32_t Presenter::vblank_count() const {
  const MutexLock lock(mutex_);
  if (!vblank_time_) return 0;
  const auto period = status_.mode.frame_period();
  // Until the next vblank, the count is late by half a frame at most.
  return vblanks_ + static_cast<uint32_t>((clock_.now() - *vblank_time_) / period);
}

/// Handles the requests in `due` and presents. The state and the power level are removed from `due` once they
/// are in force.
void Presenter::show_and_present(Requests& due, bool vblank, bool has_writers, int& fb_state_error) {
  // The kernel wrote back all dirty pages when the last writer's mapping was unmapped.
  if (!has_writers) policy_.reset();

  if (vblank) count_vblank();
  if (enable_on_demand()) arbiter_.update(vblank, has_writers);
  if (due.power) {
    outputs_.set_power(*due.power);
    due.power.reset();
  }
  if (due.fb_state) {
    const auto applied = outputs_.apply(*due.fb_state);
    fb_state_error = applied ? 0 : applied.error().value();
    due.fb_state.reset();
  }
  if (vblank) {
    tick(has_writers);
  } else if (!due.flush_done.empty() || !due.captures.empty()) {
    refresh_now(has_writers && !due.captures.empty());
  }
}

Result<Capture> Presenter::read_back() {
  if (!outputs_.is_enabled()) return failure(ENODATA);
  return outputs_.pacing().output().capture();
}

/// Makes the kernel write back the dirty pages in `ranges`. If that fails, the next upload takes the live
/// pixels.
void Presenter::clean(std::span<const ByteRange> ranges) {
  if (pages_ == nullptr || ranges.empty()) return;
  std::error_code error;
  for (const ByteRange& range : ranges) {
    const auto cleaned = pages_->clean(range);
    if (cleaned) continue;
    error = cleaned.error();
    break;
  }
  uncollected_ = static_cast<bool>(error);
  const auto news = clean_error_.update(error, clock_.now());
  if (news == ReportedError::News::fails) {
    spdlog::warn(
        "cannot collect what programs changed in their mappings: {}; all pixels are read at each "
        "frame until it works",
        error.message());
  } else if (news == ReportedError::News::works) {
    spdlog::info("what programs change in their mappings is collected again");
  }
}

void Presenter::tick(bool has_writers) {
  ++statistics_.ticks;
  const auto plan = policy_.begin_tick(outputs_.fb_state().visible_bytes());
  if (has_writers) clean(plan.clean);
  // Damage is taken before the live pages are read, so that those are at least as new.
  const DamageLog::Damage damage = damage_.take();
  if (has_writers) {
    const auto before = policy_.mode();
    policy_.observe(damage.written_back);
    if (before != policy_.mode() && policy_.mode() == TrackingPolicy::Mode::hot) ++statistics_.hot_periods;
  }

  const bool live = (plan.upload_live && has_writers) || uncollected_;
  outputs_.check_preemption();
  if (live && outputs_.pacing().is_visible() && !outputs_.is_preempted()) ++statistics_.hot_ticks;
  outputs_.upload(damage, live);
  if (!has_writers) {
    // Nothing changes any more; an output that could not show the live pixels stays stale.
    uncollected_ = false;
    clean_error_.clear();
  }
  if (!outputs_.present()) arbiter_.present_failed();
}

/// Presents the damage log between vblanks; with `clean_first` also pages that are still dirty.
void Presenter::refresh_now(bool clean_first) {
  const bool visible = outputs_.pacing().is_visible() && !outputs_.is_preempted();
  const bool hot = policy_.mode() == TrackingPolicy::Mode::hot;
  if (clean_first && visible && !hot) {
    const ByteRange bytes = outputs_.fb_state().visible_bytes();
    clean({&bytes, 1});
  }
  // An output that is not visible is uploaded whole later, so its damage is dropped: in the log it would keep
  // the thread awake.
  const DamageLog::Damage damage = damage_.take();
  // In hot mode the output may be newer than the backing store.
  outputs_.upload(damage, hot || uncollected_);
  if (!outputs_.present()) arbiter_.present_failed();
}

void Presenter::publish(bool presented) {
  const MutexLock lock(mutex_);
  // The damage of a failed frame is still to be presented.
  busy_ = !presented;
  const OutputPresenter& screen = outputs_.pacing();
  const FramebufferState& fb_state = screen.fb_state();
  if (status_.mode != fb_state.mode) status_.mode = fb_state.mode;
  outputs_.describe(status_.outputs);
  status_.scanout_format = screen.format();
  status_.enabled = screen.is_enabled();
  status_.preempted = screen.is_preempted();
  status_.on_active_vt = arbiter_.is_on_active_vt();
  status_.paths = screen.output().driver_paths();
  status_.mappings = card_.mapping_statistics();
  status_.power = screen.power();
  status_.tracker = policy_.mode();
  for (const std::error_code error : {screen.error(), clean_error_.error(), exception_.error()}) {
    status_.error = error;
    if (error) break;
  }
}

}  // namespace fbemu
