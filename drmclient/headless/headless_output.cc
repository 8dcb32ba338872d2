#include "drmclient/headless/headless_output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "drmclient/card.h"

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

}  // namespace

bool is_headless_mode(Size size) {
  return size.width >= smallest_side && size.height >= smallest_side &&
         size.width <= largest_headless_size.width && size.height <= largest_headless_size.height;
}

HeadlessOutput::HeadlessOutput(unsigned number, const HeadlessOptions& options) {
  constexpr uint64_t dots_per_inch = 96;
  constexpr uint64_t tenths_of_mm_per_inch = 254;
  const auto millimetres = [](uint64_t pixels) {
    return static_cast<uint32_t>(pixels * tenths_of_mm_per_inch / (10 * dots_per_inch));
  };
  info_.name = "Virtual-" + std::to_string(number);
  info_.connected = true;
  info_.size_mm = {millimetres(options.size.width), millimetres(options.size.height)};
  info_.modes.push_back(make_mode(options.size, options.refresh_millihertz));
  info_.modes.front().preferred = true;
  info_.formats = options.formats;
  info_.gamma_entries = gamma_entries;
  info_.custom_modes_up_to = largest_headless_size;
  info_.takes_any_timing = true;
}

base::Result<void> HeadlessOutput::set_mode(const Mode& mode, ScanoutBuffer& buffer, Point origin) {
  auto* const memory = dynamic_cast<HeadlessBuffer*>(&buffer);
  if (memory == nullptr || !is_headless_mode(mode.size())) return base::failure(EINVAL);
  if (!is_inside(mode.size(), origin, buffer.size())) return base::failure(EINVAL);
  BASE_TRY(memory->cpu_access().upload_all());
  const auto now = steady_clock::now();
  if (front_ != nullptr) frames_before_mode_ += frames_since_start(now);
  mode_ = mode;
  front_ = memory;
  origin_ = origin;
  power_ = Power::on;
  mode_start_ = now;
  return {};
}

base::Result<void> HeadlessOutput::present(ScanoutBuffer& buffer, Point origin,
                                           std::span<const Rect> damage) {
  auto* const memory = dynamic_cast<HeadlessBuffer*>(&buffer);
  if (memory == nullptr || front_ == nullptr || damage.size() > Card::max_damage_rects) {
    return base::failure(EINVAL);
  }
  if (!is_inside(mode_.size(), origin, buffer.size())) return base::failure(EINVAL);
  const Rect bounds = Rect::of(buffer.size());
  for (const Rect& rect : damage) {
    if (rect.empty() || rect.clipped_to(bounds) != rect) return base::failure(EINVAL);
  }
  CpuAccess& pixels = memory->cpu_access();
  const CpuAccess::Upload uploaded =
      BASE_TRY(is_flip(*memory, origin) ? pixels.upload_unseen() : pixels.upload(damage));
  front_ = memory;
  origin_ = origin;
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

std::optional<VblankEvent> HeadlessOutput::read_vblank() {
  if (!vblank_timer_.read_expired()) return std::nullopt;
  if (!std::exchange(vblank_requested_, false)) return std::nullopt;
  const uint64_t frame = frames_since_start(steady_clock::now());
  return VblankEvent{this, static_cast<uint32_t>(frames_before_mode_ + frame), frame_time(frame)};
}

base::Result<void> HeadlessOutput::set_gamma(std::span<const GammaEntry> table) {
  if (table.size() != gamma_entries) return base::failure(EINVAL);
  gamma_.assign(table.begin(), table.end());
  return {};
}

base::Result<void> HeadlessOutput::set_power(Power power) {
  power_ = power;
  return {};
}

base::Result<Capture> HeadlessOutput::capture() {
  if (front_ == nullptr) return base::failure(EINVAL);
  if (power_ != Power::on) return Capture{mode_.size(), std::vector<uint32_t>(mode_.size().area())};
  return front_->scan_out(Rect::of(mode_.size(), origin_));
}

DriverPaths HeadlessOutput::driver_paths() const {
  DriverPaths paths;
  constexpr std::array<std::string_view, mapping_kinds> mappings{"memory", "dma-buf", "shadow"};
  if (front_ != nullptr) paths.mapping = mappings.at(static_cast<size_t>(front_->cpu_access().kind()));
  return paths;
}

}  // namespace drmclient
