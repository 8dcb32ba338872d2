// The frames of an OutputPresenter: uploads and presents.

#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "fbemu/output/output_presenter.h"

namespace fbemu {

using base::Result;
using drmclient::is_master_conflict;
using drmclient::Rect;

void OutputPresenter::upload_damage(const std::vector<ByteRange>& ranges) {
  if (ranges.empty()) return;
  Region view;
  for (const ViewPart& part : fb_state_.parts()) {
    Region changed = pixels_in(ranges, fb_state_.layout, part.from, part.view.size());
    changed.translate(part.view.x1, part.view.y1);
    view.add(changed);
  }
  const std::vector<Rect> rects = view.rects();
  if (rects.empty()) return;
  if (const auto uploaded = uploader_.upload(backing_store_, fb_state_, rects, *front_.memory); !uploaded) {
    stale_ = true;
    report(uploaded.error());
    return;
  }
  const ViewTransform view_transform = fb_state_.view_transform();
  Region shown;
  for (const Rect& rect : rects) shown.add(view_transform.to_output(rect));
  const uint64_t bytes = shown.area() * drmclient::bytes_per_pixel(format_);
  statistics_.uploaded_rects += rects.size();
  statistics_.uploaded_bytes += bytes;
  statistics_.tracked_bytes += bytes;
  unpresented_.add(shown);
}

Result<bool> OutputPresenter::upload_all_to(Buffer& buffer, const FramebufferState& fb_state) {
  if (buffer.border != fb_state.view_transform()) {
    BASE_TRY(Uploader::clear_border(fb_state, *buffer.memory));
    buffer.border = fb_state.view_transform();
  }
  Result<void> live;
  if (pages_ != nullptr) {
    live = uploader_.upload_live(*pages_, fb_state, *buffer.memory);
    if (live) {
      report_pages({});
      return true;
    }
  }
  const Rect view = Rect::of(fb_state.size);
  BASE_TRY(uploader_.upload(backing_store_, fb_state, {&view, 1}, *buffer.memory));
  if (!live) report_pages(live.error());
  return live.has_value();
}

/// Logs whether live pixels can be read.
void OutputPresenter::report_pages(std::error_code outcome) {
  const auto news = pages_error_.update(outcome, clock_.now());
  if (news == ReportedError::News::fails) {
    spdlog::warn(
        "{} shows what programs drew until some moments ago, because their pages cannot be read: "
        "{}; trying again at each frame",
        name(), outcome.message());
  } else if (news == ReportedError::News::works) {
    spdlog::info("{} shows the pages of programs again", name());
  }
}

OutputPresenter::Buffer& OutputPresenter::buffer_for_all() {
  if (!flips_) return front_;
  if (!spare_.memory) {
    // If the card has no memory for a second buffer, a half-drawn view may be visible.
    auto made = card_.create_buffer(fb_state_.mode.size(), format_);
    if (!made) return front_;
    spare_ = {std::move(*made), {}};
  }
  return spare_;
}

void OutputPresenter::upload_all() {
  Buffer& buffer = buffer_for_all();
  const auto uploaded = upload_all_to(buffer, fb_state_);
  if (!uploaded) {
    stale_ = true;
    report(uploaded.error());
    return;
  }
  if (&buffer == &spare_) std::swap(front_, spare_);
  flips_ = false;
  stale_ = !*uploaded;
  ++statistics_.uploaded_rects;
  statistics_.uploaded_bytes += fb_state_.mode.size().area() * drmclient::bytes_per_pixel(format_);
  unpresented_ = Region();
  unpresented_.add(Rect::of(fb_state_.mode.size()));
}

std::optional<drmclient::Frame> OutputPresenter::next_frame() {
  if (!is_visible() || is_preempted() || unpresented_.empty()) return std::nullopt;
  presenting_ = covering_rects(unpresented_, drmclient::Card::max_damage_rects);
  return drmclient::Frame{output_, *front_.memory, {}, presenting_};
}

bool OutputPresenter::presented(const Result<void>& result) {
  if (!result) {
    ++statistics_.failed_presents;
    report(result.error());
    if (is_master_conflict(result.error())) handle(OutputEvent::fb_replaced);
    // An unplugged card may return: its node is opened again once it was closed.
    const bool unplugged = drmclient::is_unplugged(result.error()) && card_.info().shared;
    if (unplugged) {
      release();
      handle(OutputEvent::card_unplugged);
    }
    return !unplugged;
  }
  ++statistics_.presents;
  unpresented_.clear();
  report({});
  return true;
}

}  // namespace fbemu
