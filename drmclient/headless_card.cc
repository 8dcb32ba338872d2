#include "drmclient/headless_card.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

namespace drmclient {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr uint32_t smallest_side =
    8;  // fb_set_var() refuses less, so a smaller screen could not be described

bool mode_is_possible(Size size) {
  return size.width >= smallest_side && size.height >= smallest_side &&
         size.width <= HeadlessCard::largest.width && size.height <= HeadlessCard::largest.height;
}

UniqueFd checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  return UniqueFd(fd);
}

timespec to_timespec(steady_clock::time_point time) {
  const auto since_boot = time.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  return {seconds.count(), std::chrono::duration_cast<nanoseconds>(since_boot - seconds).count()};
}

/// EINVAL where `mode` from `origin` would show more than the buffer has.
Result<void> check_viewport(const Mode& mode, const ScanoutBuffer& buffer, Point origin) {
  if (uint64_t{origin.x} + mode.hdisplay > buffer.size().width ||
      uint64_t{origin.y} + mode.vdisplay > buffer.size().height) {
    return failure(EINVAL);
  }
  return {};
}

}  // namespace

HeadlessCard::HeadlessCard(HeadlessOptions options)
    : options_(std::move(options)), mappings_(std::make_shared<MappingCache>(options_.mapping_limit_bytes)) {
  faults_.moving = options_.moving_mappings;
  faults_.only_for_uploads = options_.mappings_for_uploads_only;
  faults_.incoherent = options_.incoherent_dma_bufs;
  if (!mode_is_possible(options_.size)) {
    throw std::system_error(EINVAL, std::generic_category(),
                            "a headless card has modes from 8x8 to 8192x8192, not " +
                                std::to_string(options_.size.width) + "x" +
                                std::to_string(options_.size.height));
  }
  info_ = {"headless", "", largest};
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  vblank_timer_ = checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
  hotplug_event_ = checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  for (const UniqueFd* source : {&vblank_timer_, &hotplug_event_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = source->get();
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source->get(), &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
  }
}

HeadlessCard::~HeadlessCard() = default;

Result<std::vector<Output>> HeadlessCard::probe() {
  constexpr uint64_t dots_per_inch = 96;
  constexpr uint64_t tenths_of_mm_per_inch = 254;
  const auto millimetres = [](uint64_t pixels) {
    return static_cast<uint32_t>(pixels * tenths_of_mm_per_inch / (10 * dots_per_inch));
  };
  Output output;
  output.id = output_id;
  output.name = "Virtual-1";
  output.connected = connected_;
  output.formats = options_.formats;
  output.gamma_entries = gamma_entries;
  if (monitor_.empty()) {
    output.custom_modes_up_to = largest;
    output.takes_any_timing = true;
  }
  if (connected_ && !monitor_.empty()) {
    for (const Size size : monitor_) output.modes.push_back(make_mode(size));
    output.modes.front().preferred = true;
  } else if (connected_) {
    output.size_mm = {millimetres(options_.size.width), millimetres(options_.size.height)};
    Mode preferred = make_mode(options_.size, options_.refresh_millihertz);
    preferred.preferred = true;
    output.modes.push_back(std::move(preferred));
  }
  return std::vector<Output>{std::move(output)};
}

Result<std::unique_ptr<ScanoutBuffer>> HeadlessCard::create_buffer(Size size, PixelFormat format) {
  if (!mode_is_possible(size) || std::ranges::find(options_.formats, format) == options_.formats.end()) {
    return failure(EINVAL);
  }
  // The pitch is a multiple of 64 bytes, as with most drivers, so that nothing can take it for the width.
  constexpr uint32_t pitch_alignment = 64;
  const uint32_t pitch =
      (size.width * bytes_per_pixel(format) + pitch_alignment - 1) / pitch_alignment * pitch_alignment;
  UniqueFd memory(::memfd_create("scanout", MFD_CLOEXEC));
  if (!memory) return failure_from_errno();
  const uint64_t bytes = uint64_t{pitch} * size.height;
  if (::ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0) return failure_from_errno();
  if (options_.used_buffers) {
    const std::string used(bytes, '\xa5');
    if (::pwrite(memory.get(), used.data(), used.size(), 0) != static_cast<ssize_t>(bytes))
      return failure(ENOSPC);
  }
  return std::make_unique<HeadlessBuffer>(size, format, pitch, std::move(memory), mappings_, options_.mapping,
                                          faults_);
}

Result<void> HeadlessCard::set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer, Point origin) {
  if (output != output_id) return failure(ENOENT);
  if (refuse_modes_ != 0) return failure(refuse_modes_);
  if (!mode_is_possible(mode.size())) return failure(EINVAL);
  if (!monitor_.empty() && std::ranges::find(monitor_, mode.size()) == monitor_.end()) return failure(EINVAL);
  if (const auto fits = check_viewport(mode, buffer, origin); !fits) return fits;
  auto* own = dynamic_cast<HeadlessBuffer*>(&buffer);
  if (own == nullptr) return failure(EINVAL);
  if (const auto uploaded = own->pixels().upload_all(); !uploaded) {
    return tl::make_unexpected(uploaded.error());
  }
  std::vector<uint32_t> screen;
  if (options_.strict_display) {
    // A monitor shows what is scanned out from the moment of the mode set; later changes have to be
    // presented.
    const Rect area{static_cast<int32_t>(origin.x), static_cast<int32_t>(origin.y),
                    static_cast<int32_t>(origin.x + mode.hdisplay),
                    static_cast<int32_t>(origin.y + mode.vdisplay)};
    Result<Capture> shown = own->scan_out(area);
    if (!shown) return tl::make_unexpected(shown.error());
    screen = std::move(shown->pixels);
  }
  const auto now = steady_clock::now();
  if (shows_mode()) frames_before_mode_ += frames_since_start(now);
  screen_ = std::move(screen);
  mode_ = mode;
  front_ = own;
  origin_ = origin;
  power_ = Power::on;
  mode_start_ = now;
  return {};
}

Result<void> HeadlessCard::present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                   std::span<const Rect> damage) {
  if (output != output_id) return failure(ENOENT);
  if (refuse_presents_ != 0) return failure(refuse_presents_);
  if (!shows_mode() || damage.size() > max_damage_rects) return failure(EINVAL);
  if (const auto fits = check_viewport(mode_, buffer, origin); !fits) return fits;
  const Rect bounds = Rect::of(buffer.size());
  for (const Rect& rect : damage) {
    if (rect.empty() || rect.clipped_to(bounds) != rect) return failure(EINVAL);
  }
  auto* own = dynamic_cast<HeadlessBuffer*>(&buffer);
  if (own == nullptr) return failure(EINVAL);
  const bool flip = own != front_ || origin != origin_;
  const auto uploaded = flip ? own->pixels().upload_unseen() : own->pixels().upload(damage);
  if (!uploaded) return tl::make_unexpected(uploaded.error());
  if (options_.strict_display) {
    if (const auto copied = copy_to_screen(*own, origin, damage); !copied) return copied;
  }
  front_ = own;
  origin_ = origin;
  return {};
}

Result<void> HeadlessCard::copy_to_screen(HeadlessBuffer& buffer, Point origin,
                                          std::span<const Rect> damage) {
  const Rect viewport{static_cast<int32_t>(origin.x), static_cast<int32_t>(origin.y),
                      static_cast<int32_t>(origin.x + mode_.hdisplay),
                      static_cast<int32_t>(origin.y + mode_.vdisplay)};
  const bool all = &buffer != front_ || origin != origin_;
  for (const Rect& rect : all ? std::span<const Rect>(&viewport, 1) : damage) {
    const Rect visible = rect.clipped_to(viewport);
    if (visible.empty()) continue;
    const Result<Capture> changed = buffer.scan_out(visible);
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

void HeadlessCard::release(OutputId output) {
  if (output == output_id) front_ = nullptr;
}

Result<void> HeadlessCard::set_gamma(OutputId output, std::span<const GammaEntry> table) {
  if (output != output_id) return failure(ENOENT);
  if (table.size() != gamma_entries) return failure(EINVAL);
  gamma_.assign(table.begin(), table.end());
  return {};
}

Result<void> HeadlessCard::set_power(OutputId output, Power power) {
  if (output != output_id) return failure(ENOENT);
  power_ = power;
  return {};
}

uint64_t HeadlessCard::frames_since_start(steady_clock::time_point now) const {
  return static_cast<uint64_t>((now - mode_start_) / mode_.frame_period());
}

Result<void> HeadlessCard::request_vblank(OutputId output) {
  if (output != output_id) return failure(ENOENT);
  if (!shows_mode()) return failure(EINVAL);
  if (vblank_requested_) return {};
  // Computed from the start of the mode, not from now, so that the rate holds however late the requests come.
  const uint64_t next = frames_since_start(steady_clock::now()) + 1;
  itimerspec when{};
  when.it_value =
      to_timespec(mode_start_ + nanoseconds(mode_.frame_period().count() * static_cast<int64_t>(next)));
  if (::timerfd_settime(vblank_timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
    return failure_from_errno();
  vblank_requested_ = true;
  return {};
}

Result<std::vector<Event>> HeadlessCard::read_events() {
  std::vector<Event> events;
  uint64_t count = 0;
  if (::read(vblank_timer_.get(), &count, sizeof count) == sizeof count && vblank_requested_) {
    vblank_requested_ = false;
    const uint64_t frame = frames_since_start(steady_clock::now());
    events.emplace_back(
        VblankEvent{output_id, static_cast<uint32_t>(frames_before_mode_ + frame),
                    mode_start_ + nanoseconds(mode_.frame_period().count() * static_cast<int64_t>(frame))});
  }
  if (::read(hotplug_event_.get(), &count, sizeof count) == sizeof count) events.emplace_back(HotplugEvent{});
  return events;
}

Result<Capture> HeadlessCard::capture(OutputId output) {
  if (output != output_id) return failure(ENOENT);
  if (!shows_mode()) return failure(EINVAL);
  if (power_ != Power::on) return Capture{mode_.size(), std::vector<uint32_t>(mode_.size().area())};
  if (options_.strict_display) return Capture{mode_.size(), screen_};
  return front_->scan_out({static_cast<int32_t>(origin_.x), static_cast<int32_t>(origin_.y),
                           static_cast<int32_t>(origin_.x + mode_.hdisplay),
                           static_cast<int32_t>(origin_.y + mode_.vdisplay)});
}

CardPaths HeadlessCard::paths(OutputId) const {
  CardPaths paths;
  constexpr std::array<std::string_view, mapping_kinds> mappings{"memory", "dma-buf", "shadow"};
  if (front_ != nullptr) paths.mapping = mappings.at(static_cast<size_t>(front_->pixels().kind()));
  return paths;
}

void HeadlessCard::set_connected(bool connected) {
  if (std::exchange(connected_, connected) != connected) tell_hotplug();
}

void HeadlessCard::set_monitor(std::vector<Size> sizes) {
  monitor_ = std::move(sizes);
  tell_hotplug();
}

void HeadlessCard::tell_hotplug() const {
  const uint64_t one = 1;
  // Cannot fail: the counter would have to reach 2^64 - 1 unread hotplugs.
  static_cast<void>(::write(hotplug_event_.get(), &one, sizeof one));
}

}  // namespace drmclient
