#include "drmclient/headless/headless_output.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

}  // namespace

bool is_headless_mode(Size size) {
  return size.width >= smallest_side && size.height >= smallest_side &&
         size.width <= largest_headless_size.width && size.height <= largest_headless_size.height;
}

HeadlessOutput::HeadlessOutput(bool strict) : strict_(strict) {}

base::Result<void> HeadlessOutput::set_mode(const Mode& mode, HeadlessBuffer& buffer, Point origin) {
  if (!is_headless_mode(mode.size())) return base::failure(EINVAL);
  if (!monitor.empty() && std::ranges::find(monitor, mode.size()) == monitor.end())
    return base::failure(EINVAL);
  if (!is_inside(mode.size(), origin, buffer.size())) return base::failure(EINVAL);
  BASE_TRY(buffer.cpu_access().upload_all());
  std::vector<uint32_t> screen;
  if (strict_) {
    // A monitor shows the pixels that are in the buffer at the mode set. Later changes must be presented.
    Capture shown = BASE_TRY(buffer.scan_out(Rect::of(mode.size(), origin)));
    screen = std::move(shown.pixels);
  }
  const auto now = steady_clock::now();
  if (front_ != nullptr) frames_before_mode_ += frames_since_start(now);
  screen_ = std::move(screen);
  mode_ = mode;
  front_ = &buffer;
  origin_ = origin;
  power = Power::on;
  mode_start_ = now;
  return {};
}

base::Result<void> HeadlessOutput::present(HeadlessBuffer& buffer, Point origin,
                                           std::span<const Rect> damage) {
  if (front_ == nullptr) return base::failure(EINVAL);
  if (!is_inside(mode_.size(), origin, buffer.size())) return base::failure(EINVAL);
  const Rect bounds = Rect::of(buffer.size());
  for (const Rect& rect : damage) {
    if (rect.empty() || rect.clipped_to(bounds) != rect) return base::failure(EINVAL);
  }
  CpuAccess& pixels = buffer.cpu_access();
  const CpuAccess::Upload uploaded =
      BASE_TRY(is_flip(buffer, origin) ? pixels.upload_unseen() : pixels.upload(damage));
  if (strict_) BASE_TRY(copy_to_screen(buffer, origin, damage));
  front_ = &buffer;
  origin_ = origin;
  return {};
}

base::Result<void> HeadlessOutput::copy_to_screen(HeadlessBuffer& buffer, Point origin,
                                                  std::span<const Rect> damage) {
  const Rect viewport = Rect::of(mode_.size(), origin);
  for (const Rect& rect : is_flip(buffer, origin) ? std::span<const Rect>(&viewport, 1) : damage) {
    const Rect visible = rect.clipped_to(viewport);
    if (visible.empty()) continue;
    const Capture changed = BASE_TRY(buffer.scan_out(visible));
    for (uint32_t line = 0; line < changed.size.height; ++line) {
      const size_t from = size_t{line} * changed.size.width;
      const size_t to = (static_cast<size_t>(visible.y1 - viewport.y1) + line) * mode_.hdisplay +
                        static_cast<size_t>(visible.x1 - viewport.x1);
      std::copy_n(changed.pixels.begin() + static_cast<ptrdiff_t>(from), changed.size.width,
                  screen_.begin() + static_cast<ptrdiff_t>(to));
    }
  }
  return {};
}

uint64_t HeadlessOutput::frames_since_start(steady_clock::time_point now) const {
  return static_cast<uint64_t>((now - mode_start_) / mode_.frame_period());
}

steady_clock::time_point HeadlessOutput::frame_time(uint64_t frame) const {
  return mode_start_ + nanoseconds(mode_.frame_period().count() * static_cast<int64_t>(frame));
}

base::Result<void> HeadlessOutput::request_vblank() {
  if (front_ == nullptr) return base::failure(EINVAL);
  if (vblank_requested_) return {};
  // The time is computed from the start of the mode, not from now, so that late requests do not change the
  // rate.
  const uint64_t next = frames_since_start(steady_clock::now()) + 1;
  BASE_TRY(vblank_timer_.set(frame_time(next)));
  vblank_requested_ = true;
  return {};
}

std::optional<VblankEvent> HeadlessOutput::read_vblank(OutputId output) {
  if (!vblank_timer_.read_expired()) return std::nullopt;
  if (!std::exchange(vblank_requested_, false)) return std::nullopt;
  const uint64_t frame = frames_since_start(steady_clock::now());
  return VblankEvent{output, static_cast<uint32_t>(frames_before_mode_ + frame), frame_time(frame)};
}

base::Result<Capture> HeadlessOutput::capture() {
  if (front_ == nullptr) return base::failure(EINVAL);
  if (power != Power::on) return Capture{mode_.size(), std::vector<uint32_t>(mode_.size().area())};
  if (strict_) return Capture{mode_.size(), screen_};
  return front_->scan_out(Rect::of(mode_.size(), origin_));
}

}  // namespace drmclient
