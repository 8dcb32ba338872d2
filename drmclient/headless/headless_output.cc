#include "drmclient/headless/headless_output.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr uint32_t smallest_side =
    8;  // fb_set_var() refuses less, so a smaller screen could not be described

timespec to_timespec(steady_clock::time_point time) {
  const auto since_boot = time.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  return {seconds.count(), std::chrono::duration_cast<nanoseconds>(since_boot - seconds).count()};
}

/// EINVAL where `mode` from `origin` would show more than the buffer has.
base::Result<void> check_viewport(const Mode& mode, const ScanoutBuffer& buffer, Point origin) {
  if (uint64_t{origin.x} + mode.hdisplay > buffer.size().width ||
      uint64_t{origin.y} + mode.vdisplay > buffer.size().height) {
    return base::failure(EINVAL);
  }
  return {};
}

/// What a mode of `size` shows from `origin`.
Rect part_shown(Size size, Point origin) {
  return {static_cast<int32_t>(origin.x), static_cast<int32_t>(origin.y),
          static_cast<int32_t>(origin.x + size.width), static_cast<int32_t>(origin.y + size.height)};
}

}  // namespace

bool is_headless_mode(Size size) {
  return size.width >= smallest_side && size.height >= smallest_side &&
         size.width <= largest_headless_size.width && size.height <= largest_headless_size.height;
}

HeadlessOutput::HeadlessOutput(bool strict)
    : strict_(strict), vblank_timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!vblank_timer_) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

base::Result<void> HeadlessOutput::set_mode(const Mode& mode, HeadlessBuffer& buffer, Point origin) {
  if (!is_headless_mode(mode.size())) return base::failure(EINVAL);
  if (!monitor.empty() && std::ranges::find(monitor, mode.size()) == monitor.end())
    return base::failure(EINVAL);
  if (const auto fits = check_viewport(mode, buffer, origin); !fits) return fits;
  if (const auto uploaded = buffer.cpu_access().upload_all(); !uploaded) {
    return tl::make_unexpected(uploaded.error());
  }
  std::vector<uint32_t> screen;
  if (strict_) {
    // A monitor shows what is scanned out from the moment of the mode set; later changes have to be
    // presented.
    base::Result<Capture> shown = buffer.scan_out(part_shown(mode.size(), origin));
    if (!shown) return tl::make_unexpected(shown.error());
    screen = std::move(shown->pixels);
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
  if (const auto fits = check_viewport(mode_, buffer, origin); !fits) return fits;
  const Rect bounds = Rect::of(buffer.size());
  for (const Rect& rect : damage) {
    if (rect.empty() || rect.clipped_to(bounds) != rect) return base::failure(EINVAL);
  }
  const bool flip = &buffer != front_ || origin != origin_;
  const auto uploaded = flip ? buffer.cpu_access().upload_unseen() : buffer.cpu_access().upload(damage);
  if (!uploaded) return tl::make_unexpected(uploaded.error());
  if (strict_) {
    if (const auto copied = copy_to_screen(buffer, origin, damage); !copied) return copied;
  }
  front_ = &buffer;
  origin_ = origin;
  return {};
}

base::Result<void> HeadlessOutput::copy_to_screen(HeadlessBuffer& buffer, Point origin,
                                                  std::span<const Rect> damage) {
  const Rect viewport = part_shown(mode_.size(), origin);
  const bool all = &buffer != front_ || origin != origin_;
  for (const Rect& rect : all ? std::span<const Rect>(&viewport, 1) : damage) {
    const Rect visible = rect.clipped_to(viewport);
    if (visible.empty()) continue;
    const base::Result<Capture> changed = buffer.scan_out(visible);
    if (!changed) return tl::make_unexpected(changed.error());
    for (uint32_t line = 0; line < changed->size.height; ++line) {
      const size_t from = size_t{line} * changed->size.width;
      const size_t to = (static_cast<size_t>(visible.y1 - viewport.y1) + line) * mode_.hdisplay +
                        static_cast<size_t>(visible.x1 - viewport.x1);
      std::copy_n(changed->pixels.begin() + static_cast<ptrdiff_t>(from), changed->size.width,
                  screen_.begin() + static_cast<ptrdiff_t>(to));
    }
  }
  return {};
}

uint64_t HeadlessOutput::frames_since_start(steady_clock::time_point now) const {
  return static_cast<uint64_t>((now - mode_start_) / mode_.frame_period());
}

base::Result<void> HeadlessOutput::request_vblank() {
  if (front_ == nullptr) return base::failure(EINVAL);
  if (vblank_requested_) return {};
  // Computed from the start of the mode, not from now, so that the rate holds however late the requests come.
  const uint64_t next = frames_since_start(steady_clock::now()) + 1;
  itimerspec when{};
  when.it_value =
      to_timespec(mode_start_ + nanoseconds(mode_.frame_period().count() * static_cast<int64_t>(next)));
  if (::timerfd_settime(vblank_timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
    return base::failure_from_errno();
  vblank_requested_ = true;
  return {};
}

std::optional<VblankEvent> HeadlessOutput::read_vblank(OutputId output) {
  uint64_t count = 0;
  if (::read(vblank_timer_.get(), &count, sizeof count) != sizeof count) return std::nullopt;
  if (!std::exchange(vblank_requested_, false)) return std::nullopt;
  const uint64_t frame = frames_since_start(steady_clock::now());
  return VblankEvent{output, static_cast<uint32_t>(frames_before_mode_ + frame),
                     mode_start_ + nanoseconds(mode_.frame_period().count() * static_cast<int64_t>(frame))};
}

base::Result<Capture> HeadlessOutput::capture() {
  if (front_ == nullptr) return base::failure(EINVAL);
  if (power != Power::on) return Capture{mode_.size(), std::vector<uint32_t>(mode_.size().area())};
  if (strict_) return Capture{mode_.size(), screen_};
  return front_->scan_out(part_shown(mode_.size(), origin_));
}

}  // namespace drmclient
