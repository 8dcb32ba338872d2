#include "drmclient/examples/splash/splash.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <utility>

namespace splash {
namespace {

using base::Result;
using drmclient::Output;
using drmclient::PixelFormat;
using drmclient::Rect;

/// Interval of the check for other programs, because no event reports them. Costs one system call per output.
constexpr std::chrono::milliseconds check_interval{100};

/// Maximum time between a hotplug event and the console on the screen, in either order. At a hotplug the
/// kernel's console enables all free outputs (drm_fb_helper_hotplug_event()). Probing the monitors can take
/// it a second.
constexpr std::chrono::seconds console_timeout{2};

bool is_usable(const drmclient::OutputInfo& info) {
  return info.connected && !info.modes.empty();
}

/// Returns the formats, best first. A driver may list a format and refuse it with a mode: the pitch of cirrus
/// has not enough bits for 1024 pixels of 32 bits.
std::vector<PixelFormat> formats_to_try(const Output& output) {
  std::vector<PixelFormat> formats = output.info().formats;
  std::ranges::stable_sort(formats, std::greater<>(), drmclient::bytes_per_pixel);
  return formats;
}

}  // namespace

void Splash::set_percent(unsigned percent) {
  percent_ = percent;
  for (SplashOutput& screen : screens_) screen.bar_changed = true;
}

base::Result<void> Splash::probe() {
  const auto outputs = BASE_TRY(card_.probe());
  std::vector<SplashOutput> screens;
  for (SplashOutput& screen : screens_) {
    const drmclient::OutputInfo& info = screen.output.info();
    // Another monitor needs another mode, and so another buffer.
    if (is_usable(info) && info.modes.front() == screen.mode) {
      screens.push_back(std::move(screen));
    } else {
      release(screen);
    }
  }
  for (Output* const output : outputs) {
    const bool known = std::ranges::any_of(
        screens, [output](const SplashOutput& screen) { return &screen.output == output; });
    const drmclient::OutputInfo& info = output->info();
    if (!known && is_usable(info)) screens.push_back({*output, info.modes.front()});
  }
  screens_ = std::move(screens);
  return {};
}

base::Result<void> Splash::handle(const std::vector<drmclient::Event>& events, Time now) {
  for (const drmclient::Event& event : events) {
    if (const auto* vblank = std::get_if<drmclient::VblankEvent>(&event)) {
      for (SplashOutput& screen : screens_) {
        if (&screen.output == vblank->output) screen.waits_for_vblank = false;
      }
    } else if (std::holds_alternative<drmclient::ResumeEvent>(event)) {
      for (SplashOutput& screen : screens_) screen.all_changed = true;
    } else {
      console_expected_until_ = now + console_timeout;
      BASE_TRY(probe());
    }
  }
  return {};
}

base::Result<void> Splash::update(Time now) {
  for (SplashOutput& screen : screens_) {
    if (screen.refused) continue;
    BASE_TRY(check_preemption(screen, now));
    const auto done = screen.buffer ? present(screen) : enable(screen);
    if (done || drmclient::is_master_conflict(done.error())) continue;
    if (drmclient::is_unplugged(done.error()) || screens_.size() == 1) return done;
    screen.refused = true;
  }
  return {};
}

base::Result<void> Splash::check_preemption(SplashOutput& screen, Time now) {
  screen.preempted = screen.buffer && !screen.output.scans_out_our_fb();
  screen.yielded = screen.preempted;
  if (!screen.preempted) {
    screen.console_since.reset();
    return {};
  }
  // An unplugged card does not show our framebuffer either, but no other program has it.
  if (const auto master = card_.check_master(); !master && drmclient::is_unplugged(master.error())) {
    return master;
  }
  if (!screen.output.shows_previous_fb()) return {};
  if (now < console_expected_until_) {
    screen.preempted = screen.yielded = false;
    screen.all_changed = true;
  } else {
    // The event of the hotplug that brought the console may not have arrived yet.
    if (!screen.console_since) screen.console_since = now;
    screen.yielded = now >= *screen.console_since + console_timeout;
  }
  return {};
}

base::Result<void> Splash::enable(SplashOutput& screen) {
  // If another process is master, this check is cheaper than drawing a buffer in vain.
  BASE_TRY(card_.check_master());
  base::Result<void> refused = base::failure(EINVAL);
  for (const PixelFormat format : formats_to_try(screen.output)) {
    refused = enable_with(screen, format);
    if (refused || drmclient::is_master_conflict(refused.error()) ||
        drmclient::is_unplugged(refused.error())) {
      break;
    }
  }
  return refused;
}

base::Result<void> Splash::enable_with(SplashOutput& screen, PixelFormat format) {
  const drmclient::Mode& mode = screen.mode;
  auto buffer = BASE_TRY(card_.create_buffer(mode.size(), format));
  BASE_TRY(draw(*buffer, false));
  BASE_TRY(screen.output.set_mode(mode, *buffer, {}));
  screen.buffer = std::move(buffer);
  screen.bar_changed = false;
  screen.waits_for_vblank = false;
  // A mode set may clear the memory that it shows (Output::set_mode()).
  screen.all_changed = true;
  return {};
}

base::Result<void> Splash::present(SplashOutput& screen) {
  const bool changed = screen.all_changed || screen.bar_changed;
  // present() would replace the picture of the other program, but the splash yields.
  if (!changed || screen.preempted || screen.waits_for_vblank) return {};
  BASE_TRY(draw(*screen.buffer, !screen.all_changed));
  const drmclient::Size size = screen.buffer->size();
  const std::array damage{screen.all_changed ? Rect::of(size) : place_of_bar(size)};
  const auto presented = card_.present({screen.output, *screen.buffer, {}, damage});
  if (presented) screen.all_changed = screen.bar_changed = false;
  // In both cases, shown or refused, the next attempt is for the next frame.
  if (presented || drmclient::is_master_conflict(presented.error())) {
    screen.waits_for_vblank = screen.output.request_vblank().has_value();
  }
  return presented;
}

base::Result<void> Splash::draw(drmclient::ScanoutBuffer& buffer, bool bar_alone) const {
  auto access = BASE_TRY(buffer.begin_access(drmclient::AccessMode::write));
  if (bar_alone) {
    draw_bar(buffer, access, percent_);
  } else {
    draw_all(buffer, access, picture_, percent_);
  }
  return access.end();
}

bool Splash::handed_over() const {
  bool any = false;
  for (const SplashOutput& screen : screens_) {
    if (screen.buffer && !screen.yielded) return false;
    any = any || screen.yielded;
  }
  return any;
}

std::chrono::milliseconds Splash::timeout() const {
  auto shortest = check_interval;
  for (const SplashOutput& screen : screens_) {
    if (screen.buffer || screen.refused) continue;
    // An output that is not enabled has no vblank.
    const auto frame = std::chrono::ceil<std::chrono::milliseconds>(screen.mode.frame_period());
    shortest = std::min(shortest, frame);
  }
  return shortest;
}

/// Releases an output and destroys its buffer, in this order.
void Splash::release(SplashOutput& screen) {
  if (!screen.buffer) return;
  if (screen.output.scans_out_our_fb()) {
    screen.output.release();
  } else {
    // The framebuffer of another program must stay on the screen.
    screen.output.release_without_restore();
  }
  screen.buffer.reset();
}

void Splash::release() {
  for (SplashOutput& screen : screens_) release(screen);
  screens_.clear();
}

}  // namespace splash
