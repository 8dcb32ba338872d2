#include "fbemu/presenter.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>
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

/// The program's own format where the output has it (no conversion), else the output's first.
PixelFormat choose_format(const drmclient::Output& output, PixelFormat program_format) {
  const bool same = std::ranges::find(output.formats, program_format) != output.formats.end();
  return same || output.formats.empty() ? program_format : output.formats.front();
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
  status_.output = output_;
}

Presenter::~Presenter() {
  stop();
}

void Presenter::start(const Scene& scene, ProgramPages* pages) {
  pages_ = pages;
  if (const auto lit = light(scene); !lit) {
    throw std::system_error(lit.error(),
                            "cannot show a picture of " + scene.mode.name + " on output " + output_.name);
  }
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
    if (stopping) return;
  }
}

bool Presenter::needs_vblank() const {
  const bool stale = power_ == Power::on && (everything_stale_ || !unpresented_.empty());
  if (stale || !damage_.empty()) return true;
  const std::lock_guard lock(mutex_);
  return writers_ > 0 || requests_.scene.has_value() || !requests_.vblank_done.empty();
}

/// Sleeps until something is to be done; true where that is a vblank.
bool Presenter::wait_for_events() {
  int timeout_ms = -1;
  if (needs_vblank() && !card_.request_vblank(output_.id)) {
    // A card that cannot tell the vblank (it may just have vanished) must not hold up programs.
    timeout_ms =
        static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(scene_.mode.frame_period()).count());
  }
  std::array<pollfd, 2> events{{{wake_event_.get(), POLLIN, 0}, {card_.event_descriptor(), POLLIN, 0}}};
  const int ready = ::poll(events.data(), events.size(), timeout_ms);
  if (ready == 0) return true;
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
  if (!outputs) return;
  const auto now = std::ranges::find(*outputs, output_.id, &drmclient::Output::id);
  const bool connected = now != outputs->end() && now->connected;
  if (connected != output_.connected) {
    spdlog::info("output {} was {}", output_.name, connected ? "connected" : "disconnected");
  }
  if (now != outputs->end()) output_ = *now;
  output_.connected = connected;
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

  if (due.power) apply_power(*due.power);
  const int scene_error = due.scene ? apply_scene(*due.scene) : 0;
  if (vblank) {
    tick(has_writers);
  } else if (!due.flush_done.empty() || !due.captures.empty()) {
    refresh_now(has_writers && !due.captures.empty());
  }
  publish();
  for (auto& capture : due.captures) capture.set_value(card_.capture(output_.id));
  complete(due.scene_done, scene_error);
  complete(due.vblank_done, 0);
  complete(due.flush_done, 0);
}

int Presenter::apply_scene(const Scene& scene) {
  if (scene.mode != scene_.mode) {
    const auto lit = light(scene);
    if (!lit) {
      spdlog::warn("output {} refused the mode {}: {}", output_.name, scene.mode.name, lit.error().message());
      return lit.error().value();
    }
    return 0;
  }
  everything_stale_ = everything_stale_ || scene != scene_;
  scene_ = scene;
  return 0;
}

void Presenter::apply_power(Power power) {
  if (power == power_) return;
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
  auto buffer = card_.create_buffer(scene.mode.size(), choose_format(output_, scene.layout.format));
  if (!buffer) return tl::make_unexpected(buffer.error());
  if (const auto uploaded = upload_all_to(**buffer, scene); !uploaded) return uploaded;
  if (const auto set = card_.set_mode(output_.id, scene.mode, **buffer, {}); !set) return set;
  ++statistics_.mode_sets;
  scene_ = scene;
  buffer_ = std::move(*buffer);
  power_ = Power::on;
  unpresented_.clear();
  everything_stale_ = false;
  return {};
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

  if (power_ != Power::on) {
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
  if (power_ != Power::on) return;
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
  if (unpresented_.empty() || power_ != Power::on) return;
  const std::vector<Rect> rects = covering_rects(unpresented_, drmclient::Card::max_damage_rects);
  if (const auto presented = card_.present(output_.id, *buffer_, {}, rects); !presented) {
    ++statistics_.failed_presents;
    report(presented.error());
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
    spdlog::warn("output {} cannot be updated: {}; trying again at each vblank", output_.name,
                 error.message());
  } else {
    spdlog::info("output {} is updated again", output_.name);
  }
}

void Presenter::publish() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
  if (status_.mode != scene_.mode) status_.mode = scene_.mode;
  status_.scanout_format = buffer_->format();
  status_.power = power_;
  status_.tracker = policy_.mode();
  status_.error = error_;
}

}  // namespace fbemu
