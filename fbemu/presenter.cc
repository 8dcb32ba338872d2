#include "fbemu/presenter.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>

namespace fbemu {

using drmclient::Capture;
using drmclient::failure;
using drmclient::PixelFormat;
using drmclient::Power;
using drmclient::Rect;
using drmclient::Result;
using drmclient::ScanoutBuffer;

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A program that closes the framebuffer may be back at once (a shell script does so for each line it draws),
/// and a mode set makes a monitor dark for a moment.
constexpr milliseconds linger{300};
/// While another program is DRM master, it is asked for at this distance.
constexpr unsigned retry_ticks = 15;
constexpr unsigned check_ticks = 30;

/// The formats to try: the program's own where the output has it (no conversion), then those of most bits, in
/// the driver's order. A driver may refuse the first: cirrus has not enough bits in its pitch.
std::vector<PixelFormat> formats_to_try(const drmclient::Output& output, PixelFormat program_format) {
  if (output.formats.empty()) return {program_format};
  std::vector<PixelFormat> formats = output.formats;
  std::ranges::stable_sort(formats, std::greater<>(), [&](PixelFormat format) {
    return format == program_format ? UINT32_MAX : drmclient::bytes_per_pixel(format);
  });
  return formats;
}

/// Whether the errno speaks of the moment, and not of what was asked for.
bool may_pass(const std::error_code& error) {
  return error.value() == EBUSY || error.value() == EACCES || error.value() == EPERM ||
         error.value() == ENODEV;
}

/// The card for a person to read.
std::string name_of(const drmclient::CardInfo& info) {
  return info.path.empty() ? info.driver : info.path + " (" + info.driver + ")";
}

void complete(std::vector<Presenter::Completion>& waiting, int error) {
  for (Presenter::Completion& done : std::exchange(waiting, {})) {
    if (done) done(error);
  }
}

}  // namespace

Presenter::Presenter(drmclient::Card& card, drmclient::Output output, Shadow& shadow, DamageLog& damage,
                     Statistics& statistics)
    : card_(card),
      output_(std::move(output)),
      shadow_(shadow),
      damage_(damage),
      statistics_(statistics),
      wake_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_event_) throw std::system_error(errno, std::generic_category(), "eventfd");
  status_.card = card_.info();
  status_.output = output_;
}

Presenter::~Presenter() {
  stop();
}

void Presenter::start(const Scene& scene, ProgramPages* pages) {
  pages_ = pages;
  const auto possible = light_on_demand() ? check(scene) : light(scene);
  if (!possible) {
    throw std::system_error(possible.error(), "cannot show a picture of " + scene.mode.name + " on output " +
                                                  output_.name + " of the card " + name_of(card_.info()));
  }
  scene_ = scene;
  publish();
  thread_ = std::thread([this] { run(); });
}

void Presenter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    wake();
    thread_.join();
  }
  // Requests that came after the thread's last look are answered here, later ones by request().
  Requests left;
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    left = std::exchange(requests_, {});
  }
  complete(left.scene_done, 0);
  complete(left.vblank_done, 0);
  complete(left.flush_done, 0);
  for (auto& capture : left.captures) capture.set_value(failure(ESHUTDOWN));
}

// Requests from other threads.

void Presenter::wake() {
  const uint64_t one = 1;
  // Fails only where the counter is full, and then the thread is about to wake anyway.
  static_cast<void>(::write(wake_event_.get(), &one, sizeof one));
}

void Presenter::request(const std::function<void(Requests&)>& ask) {
  Requests too_late;
  {
    const std::lock_guard lock(mutex_);
    ask(finished_ ? too_late : requests_);
    if (!finished_) {
      wake();
      return;
    }
  }
  complete(too_late.scene_done, 0);
  complete(too_late.vblank_done, 0);
  complete(too_late.flush_done, 0);
  for (auto& capture : too_late.captures) capture.set_value(failure(ESHUTDOWN));
}

bool Presenter::idle() const {
  const std::lock_guard lock(mutex_);
  return !busy_;
}

void Presenter::set_writers(unsigned count) {
  const std::lock_guard lock(mutex_);
  writers_ = count;
  wake();
}

void Presenter::damaged() {
  wake();
}

void Presenter::show(const Scene& scene, Completion done) {
  request([&](Requests& requests) {
    requests.scene = scene;
    requests.scene_done.push_back(std::move(done));
  });
}

void Presenter::at_vblank(Completion done) {
  request([&](Requests& requests) { requests.vblank_done.push_back(std::move(done)); });
}

void Presenter::flush(Completion done) {
  request([&](Requests& requests) { requests.flush_done.push_back(std::move(done)); });
}

void Presenter::set_power(Power power) {
  request([&](Requests& requests) { requests.power = power; });
}

Result<Capture> Presenter::capture() {
  std::promise<Result<Capture>> promise;
  std::future<Result<Capture>> future = promise.get_future();
  request([&](Requests& requests) { requests.captures.push_back(std::move(promise)); });
  return future.get();
}

Presenter::Status Presenter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

// The presenter's thread.

void Presenter::run() {
  ::pthread_setname_np(::pthread_self(), "presenter");
  for (;;) {
    const bool vblank = wait_for_events();
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      stopping = stopping_;
    }
    handle(vblank || stopping);
    if (!stopping) continue;
    if (light_on_demand() && lit_) give_back();
    return;
  }
}

bool Presenter::needs_vblank() const {
  const bool stale = lit_ && power_ == Power::on && (everything_stale_ || !unpresented_.empty());
  if (stale || !damage_.empty()) return true;
  const std::lock_guard lock(mutex_);
  return writers_ > 0 || requests_.scene.has_value() || !requests_.vblank_done.empty();
}

int Presenter::milliseconds_to_give_back() const {
  if (!give_back_at_) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*give_back_at_ - steady_clock::now());
  return std::max(static_cast<int>(left.count()), 0);
}

/// Sleeps until something is to be done; true where that is a vblank.
bool Presenter::wait_for_events() {
  bool timeout_is_vblank = false;
  int timeout_ms = milliseconds_to_give_back();
  if (needs_vblank() && !card_.request_vblank(output_.id)) {
    // A card that cannot tell the vblank (it may just have vanished, or the output is not lit) must not hold
    // up programs.
    timeout_is_vblank = true;
    timeout_ms = static_cast<int>(std::chrono::ceil<milliseconds>(scene_.mode.frame_period()).count());
  }
  std::array<pollfd, 2> events{{{wake_event_.get(), POLLIN, 0}, {card_.event_descriptor(), POLLIN, 0}}};
  const int ready = ::poll(events.data(), events.size(), timeout_ms);
  if (ready == 0) return timeout_is_vblank;
  if ((events[0].revents & POLLIN) != 0) {
    uint64_t count = 0;
    static_cast<void>(::read(wake_event_.get(), &count, sizeof count));
  }
  if (events[1].revents == 0) return false;

  bool vblank = false;
  const auto happened = card_.read_events();
  if (!happened) return false;
  for (const drmclient::Event& event : *happened) {
    if (const auto* reached = std::get_if<drmclient::VblankEvent>(&event)) {
      vblank = vblank || reached->output == output_.id;
    } else {
      handle_hotplug();
    }
  }
  return vblank;
}

void Presenter::handle_hotplug() {
  const auto outputs = card_.probe();
  if (!outputs) {
    report(outputs.error());
    return;
  }
  const auto now = std::ranges::find(*outputs, output_.id, &drmclient::Output::id);
  const bool connected = now != outputs->end() && now->connected;
  if (connected != output_.connected) {
    spdlog::info("output {} was {}", output_.name, connected ? "connected" : "disconnected");
  }
  const bool back = connected && !output_.connected;
  if (now != outputs->end()) output_ = *now;
  output_.connected = connected;
  // A monitor that was plugged in again may need its mode set again. Without one to show it on the picture
  // waits.
  if (back && lit_) {
    if (const auto lit = light(scene_); !lit) report(lit.error());
  }
  const std::lock_guard lock(mutex_);
  status_.output = output_;
}

Presenter::Requests Presenter::take_requests(bool vblank, bool& has_writers) {
  const std::lock_guard lock(mutex_);
  has_writers = writers_ > 0;
  busy_ = true;
  Requests due;
  due.flush_done = std::exchange(requests_.flush_done, {});
  due.captures = std::exchange(requests_.captures, {});
  due.power = std::exchange(requests_.power, std::nullopt);
  if (vblank) {
    due.scene = std::exchange(requests_.scene, std::nullopt);
    due.scene_done = std::exchange(requests_.scene_done, {});
    due.vblank_done = std::exchange(requests_.vblank_done, {});
  }
  return due;
}

void Presenter::handle(bool vblank) {
  bool has_writers = false;
  Requests due = take_requests(vblank, has_writers);
  // The kernel delivered all changed pages when the last writer's mapping went.
  if (!has_writers) policy_.reset();

  if (light_on_demand()) light_or_give_back(vblank, has_writers);
  if (due.power) apply_power(*due.power);
  const int scene_error = due.scene ? apply_scene(*due.scene) : 0;
  if (vblank) {
    tick(has_writers);
  } else if (!due.flush_done.empty() || !due.captures.empty()) {
    refresh_now(has_writers && !due.captures.empty());
  }
  publish();
  for (auto& capture : due.captures) {
    if (lit_) {
      capture.set_value(card_.capture(output_.id));
    } else {
      capture.set_value(failure(ENODATA));
    }
  }
  complete(due.scene_done, scene_error);
  complete(due.vblank_done, 0);
  complete(due.flush_done, 0);
}

int Presenter::apply_scene(const Scene& scene) {
  if (scene.mode != scene_.mode) {
    const auto taken = lit_ ? light(scene) : check(scene);
    if (!taken) {
      spdlog::warn("output {} of the card {} refused the mode {}: {}", output_.name, name_of(card_.info()),
                   scene.mode.name, taken.error().message());
      return taken.error().value();
    }
    scene_ = scene;
    return 0;
  }
  everything_stale_ = everything_stale_ || scene != scene_;
  scene_ = scene;
  return 0;
}

void Presenter::apply_power(Power power) {
  if (power == power_) return;
  // An output that is not lit takes it on when it is.
  if (!lit_) {
    power_ = power;
    return;
  }
  // As in the kernel's emulation the program is not told of a failure; the next change tries again.
  if (const auto set = card_.set_power(output_.id, power); !set) {
    spdlog::warn("cannot change the power of output {}: {}", output_.name, set.error().message());
    return;
  }
  power_ = power;
  if (power == Power::on) everything_stale_ = true;
}

/// Makes a buffer for the scene's mode, fills it and lights the output with it. On an error all is as before.
Result<void> Presenter::light(const Scene& scene) {
  Result<void> first_error;
  for (const PixelFormat format : formats_to_try(output_, scene.layout.format)) {
    const auto lit = light_with(scene, format);
    if (lit) return lit;
    if (first_error) first_error = lit;
    if (may_pass(lit.error())) break;
  }
  return first_error;
}

Result<void> Presenter::light_with(const Scene& scene, PixelFormat format) {
  auto buffer = card_.create_buffer(scene.mode.size(), format);
  if (!buffer) return tl::make_unexpected(buffer.error());
  if (const auto uploaded = upload_all_to(**buffer, scene); !uploaded) return uploaded;
  if (const auto set = card_.set_mode(output_.id, scene.mode, **buffer, {}); !set) return set;
  ++statistics_.mode_sets;
  scene_ = scene;
  buffer_ = std::move(*buffer);
  lit_ = true;
  power_ = Power::on;
  unpresented_.clear();
  // A mode set may wipe the memory that it is to show: bochs lets the card clear the start of it.
  everything_stale_ = light_on_demand();
  return {};
}

/// Whether the output could be lit with `scene`, as far as the driver can be asked now.
Result<void> Presenter::check(const Scene& scene) {
  Result<void> first_error;
  for (const PixelFormat format : formats_to_try(output_, scene.layout.format)) {
    const auto buffer = card_.create_buffer(scene.mode.size(), format);
    const auto checked = buffer ? card_.check_mode(output_.id, scene.mode, **buffer)
                                : Result<void>(tl::make_unexpected(buffer.error()));
    // Another master does not let us ask; that is no refusal.
    if (checked || (may_pass(checked.error()) && checked.error().value() != ENODEV)) return {};
    if (first_error) first_error = checked;
  }
  return first_error;
}

/// On a screen that is shared with the kernel's console.
void Presenter::light_or_give_back(bool vblank, bool has_writers) {
  if (has_writers) {
    give_back_at_.reset();
    may_give_back_ = true;
    if (ticks_to_retry_ > 0 && vblank) --ticks_to_retry_;
    if (!lit_ && ticks_to_retry_ == 0) try_to_light();
    return;
  }
  ticks_to_retry_ = 0;
  if (!lit_ || !may_give_back_) return;
  if (!give_back_at_) give_back_at_ = steady_clock::now() + linger;
  if (steady_clock::now() < *give_back_at_) return;
  give_back_at_.reset();
  may_give_back_ = false;
  give_back();
}

void Presenter::try_to_light() {
  const Power wanted = power_;
  if (const auto lit = light(scene_); !lit) {
    report(lit.error());
    ticks_to_retry_ = retry_ticks;
    return;
  }
  report({});
  apply_power(wanted);
}

void Presenter::give_back() {
  // Without a console the picture stays: nothing else wants the screen.
  if (!card_.release(output_.id)) return;
  lit_ = false;
  unpresented_.clear();
  everything_stale_ = false;
  buffer_.reset();
}

/// Another DRM master may have come and gone without a trace.
void Presenter::check_that_it_shows() {
  if (ticks_to_check_ > 0) {
    --ticks_to_check_;
    return;
  }
  ticks_to_check_ = check_ticks;
  if (!card_.shows(output_.id)) everything_stale_ = true;
}

void Presenter::tick(bool has_writers) {
  ++statistics_.ticks;
  const auto plan = policy_.begin_tick(scene_.visible_bytes());
  if (has_writers && pages_ != nullptr) {
    for (const ByteRange& range : plan.clean) {
      // An error here is the front end's end; what it delivered until then is shown all the same.
      if (!pages_->clean(range)) break;
    }
  }
  // Taken before the live pages are read: those are at least as new.
  const DamageLog::Damage damage = damage_.take();
  if (has_writers) {
    const auto before = policy_.mode();
    policy_.observe(damage.written_back);
    if (before != policy_.mode() && policy_.mode() == TrackingPolicy::Mode::hot) ++statistics_.hot_periods;
  }

  if (lit_ && power_ == Power::on && has_writers) check_that_it_shows();
  if (!lit_) {
    // Lighting it uploads everything.
  } else if (power_ != Power::on) {
    everything_stale_ = true;
  } else if (everything_stale_ || (plan.upload_live && has_writers)) {
    if (plan.upload_live && has_writers) ++statistics_.hot_ticks;
    upload_all();
  } else {
    upload_damage(damage.all());
  }
  present();
}

/// Between vblanks: shows what was delivered; with `clean_first` also what programs drew and nobody delivered
/// yet.
void Presenter::refresh_now(bool clean_first) {
  if (!lit_ || power_ != Power::on) return;
  const bool hot = policy_.mode() == TrackingPolicy::Mode::hot;
  if (clean_first && !hot && pages_ != nullptr) static_cast<void>(pages_->clean(scene_.visible_bytes()));
  const DamageLog::Damage damage = damage_.take();
  // While hot the screen may be ahead of the shadow.
  if (hot || everything_stale_) {
    upload_all();
  } else {
    upload_damage(damage.all());
  }
  present();
}

void Presenter::upload_damage(const std::vector<ByteRange>& ranges) {
  if (ranges.empty()) return;
  Region region = pixels_in(ranges, scene_.layout);
  region.clip_to(scene_.visible());
  const std::vector<Rect> rects = region.rects();
  if (rects.empty()) return;
  if (const auto uploaded = Uploader::upload(shadow_, scene_.layout, scene_.offset, rects, *buffer_);
      !uploaded) {
    everything_stale_ = true;
    report(uploaded.error());
    return;
  }
  const uint64_t bytes = region.area() * drmclient::bytes_per_pixel(buffer_->format());
  statistics_.uploaded_rects += rects.size();
  statistics_.uploaded_bytes += bytes;
  statistics_.tracked_bytes += bytes;
  region.translate(-static_cast<int32_t>(scene_.offset.x), -static_cast<int32_t>(scene_.offset.y));
  unpresented_.add(region);
}

Result<void> Presenter::upload_all_to(ScanoutBuffer& buffer, const Scene& scene) {
  if (pages_ != nullptr) {
    const auto uploaded = uploader_.upload_live(*pages_, scene.layout, scene.offset, buffer);
    if (uploaded) return uploaded;
    // The front end cannot be read (its mount may have been taken away): the shadow has nearly the same.
  }
  const Rect visible = scene.visible();
  return Uploader::upload(shadow_, scene.layout, scene.offset, {&visible, 1}, buffer);
}

void Presenter::upload_all() {
  if (const auto uploaded = upload_all_to(*buffer_, scene_); !uploaded) {
    everything_stale_ = true;
    report(uploaded.error());
    return;
  }
  everything_stale_ = false;
  ++statistics_.uploaded_rects;
  statistics_.uploaded_bytes += buffer_->size().area() * drmclient::bytes_per_pixel(buffer_->format());
  unpresented_ = Region();
  unpresented_.add(Rect::of(buffer_->size()));
}

void Presenter::present() {
  if (!lit_ || unpresented_.empty() || power_ != Power::on) return;
  const std::vector<Rect> rects = covering_rects(unpresented_, drmclient::Card::max_damage_rects);
  if (const auto presented = card_.present(output_.id, *buffer_, {}, rects); !presented) {
    ++statistics_.failed_presents;
    report(presented.error());
    // A card that is gone may come back: the node is tried again when it is closed.
    if (presented.error().value() == ENODEV && light_on_demand()) {
      give_back();
      ticks_to_retry_ = retry_ticks;
    }
    return;
  }
  ++statistics_.presents;
  unpresented_.clear();
  report({});
}

/// Logs a cause once, not at each vblank.
void Presenter::report(std::error_code error) {
  if (error == error_) return;
  error_ = error;
  if (error) {
    spdlog::warn("output {} of the card {} cannot be updated: {}; trying again", output_.name,
                 name_of(card_.info()), error.message());
  } else {
    spdlog::info("output {} is updated again", output_.name);
  }
}

void Presenter::publish() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
  if (status_.mode != scene_.mode) status_.mode = scene_.mode;
  if (buffer_) status_.scanout_format = buffer_->format();
  status_.lit = lit_;
  status_.paths = card_.paths(output_.id);
  status_.power = power_;
  status_.tracker = policy_.mode();
  status_.error = error_;
}

}  // namespace fbemu
