#include "fbemu/presenter.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>

#include "drmclient/event_descriptors.h"

namespace fbemu {

using drmclient::Capture;
using drmclient::failure;
using drmclient::Power;
using drmclient::Result;

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Until then, as poll() takes it: -1 without a time, 0 where it has passed.
int milliseconds_until(const std::optional<steady_clock::time_point>& time) {
  if (!time) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*time - steady_clock::now());
  return std::max(static_cast<int>(left.count()), 0);
}

/// The sooner of two timeouts of poll().
int sooner(int a, int b) {
  if (a < 0 || b < 0) return std::max(a, b);
  return std::min(a, b);
}

void complete(std::vector<Presenter::Completion>& waiting, int error) {
  for (Presenter::Completion& done : std::exchange(waiting, {})) {
    if (done) done(error);
  }
}

}  // namespace

Presenter::Presenter(drmclient::Card& card, drmclient::Output output, Shadow& shadow, DamageLog& damage,
                     Statistics& statistics, const ScreenPolicy& policy)
    : card_(card),
      damage_(damage),
      statistics_(statistics),
      wake_event_(drmclient::make_event()),
      display_(card, std::move(output), policy.outputs, shadow, statistics, policy.any_mode),
      sharing_(display_, card, policy),
      pressure_(policy.pressure) {
  status_.card = card_.info();
  status_.output = display_.leading_output();
}

Presenter::~Presenter() {
  stop();
}

void Presenter::start(const Scene& scene, ProgramPages* pages) {
  pages_ = pages;
  display_.set_pages(pages);
  const auto possible = light_on_demand() ? display_.check(scene) : display_.light(scene);
  if (!possible) {
    throw std::system_error(possible.error(),
                            "cannot show a picture of " + scene.mode.name + " on " + display_.name());
  }
  display_.set_scene(scene);
  vblank_time_ = steady_clock::now();
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
  drmclient::signal_event(wake_event_);
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

void Presenter::set_writers(Writers writers) {
  const std::lock_guard lock(mutex_);
  writers_ = std::move(writers);
  writers_changed_ = true;
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
    if (light_on_demand() && display_.is_lit()) display_.give_back();
    return;
  }
}

bool Presenter::needs_vblank() const {
  if (display_.has_work() || !damage_.empty()) return true;
  const std::lock_guard lock(mutex_);
  // Behind another terminal there is nothing to look for.
  return (writers_.count > 0 && sharing_.is_in_front()) || requests_.scene.has_value() ||
         !requests_.vblank_done.empty();
}

/// Sleeps until something is to be done; true where that is a vblank.
bool Presenter::wait_for_events() {
  bool timeout_is_vblank = false;
  int timeout_ms = sooner(milliseconds_until(sharing_.update_at()), milliseconds_until(hotplug_.look_at()));
  if (needs_vblank() && !card_.request_vblank(display_.pacing().output().id)) {
    // A card that cannot tell the vblank (it may just have vanished, or the output is not lit) must not hold
    // up programs.
    timeout_is_vblank = true;
    timeout_ms =
        static_cast<int>(std::chrono::ceil<milliseconds>(display_.scene().mode.frame_period()).count());
  }
  std::array<pollfd, 4> events{{{wake_event_.get(), POLLIN, 0},
                                {card_.event_descriptor(), POLLIN, 0},
                                {sharing_.descriptor(), POLLIN, 0},
                                {pressure_ != nullptr ? pressure_->descriptor() : -1, POLLPRI, 0}}};
  const int ready = ::poll(events.data(), events.size(), timeout_ms);
  if (hotplug_.take_look(steady_clock::now())) handle_hotplug();
  if (ready == 0) return timeout_is_vblank;
  if ((events[0].revents & POLLIN) != 0) drmclient::clear_event(wake_event_);
  if (events[2].revents != 0) sharing_.read_terminals();
  if (events[3].revents != 0) handle_pressure(events[3].revents);
  return events[1].revents != 0 && handle_card_events();
}

/// True where a vblank was among them.
bool Presenter::handle_card_events() {
  bool vblank = false;
  const auto happened = card_.read_events();
  if (!happened) return false;
  for (const drmclient::Event& event : *happened) {
    if (const auto* reached = std::get_if<drmclient::VblankEvent>(&event)) {
      vblank = vblank || reached->output == display_.pacing().output().id;
    } else if (std::holds_alternative<drmclient::HotplugEvent>(event)) {
      hotplug_.event(steady_clock::now());
    } else {
      spdlog::info("the machine was asleep; showing the picture again");
      hotplug_.look_now(steady_clock::now());
      display_.light_once_more();
    }
  }
  return vblank;
}

void Presenter::handle_hotplug() {
  display_.handle_hotplug();
  const std::lock_guard lock(mutex_);
  status_.output = display_.leading_output();
}

void Presenter::handle_pressure(short events) {
  if ((events & POLLPRI) != 0) card_.release_mappings();
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) pressure_->close();
}

/// Frames that passed while nobody waited for them are made up for.
void Presenter::count_vblank() {
  const auto now = steady_clock::now();
  const auto period = display_.scene().mode.frame_period();
  const std::lock_guard lock(mutex_);
  const auto frames = (now - vblank_time_ + period / 2) / period;
  vblanks_ += static_cast<uint32_t>(std::max<int64_t>(frames, 1));
  vblank_time_ = now;
}

uint32_t Presenter::vblank_count() const {
  const std::lock_guard lock(mutex_);
  const auto period = status_.mode.frame_period();
  // Until the next one is there, the count stays behind by half a frame at most.
  return vblanks_ + static_cast<uint32_t>((steady_clock::now() - vblank_time_) / period);
}

Presenter::Requests Presenter::take_requests(bool vblank, bool& has_writers) {
  const std::lock_guard lock(mutex_);
  has_writers = writers_.count > 0;
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

void Presenter::take_writers() {
  Writers writers;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(writers_changed_, false) && !sharing_.terminal_switched()) return;
    writers = writers_;
  }
  // Without the lock: it is asked of the system which processes are on a terminal.
  sharing_.set_writers(writers);
}

void Presenter::handle(bool vblank) {
  take_writers();
  bool has_writers = false;
  Requests due = take_requests(vblank, has_writers);
  // The kernel delivered all changed pages when the last writer's mapping went.
  if (!has_writers) policy_.reset();

  if (vblank) count_vblank();
  if (light_on_demand()) sharing_.update(vblank, has_writers);
  if (due.power) display_.set_power(*due.power);
  const int scene_error = due.scene ? display_.apply(*due.scene) : 0;
  if (vblank) {
    tick(has_writers);
  } else if (!due.flush_done.empty() || !due.captures.empty()) {
    refresh_now(has_writers && !due.captures.empty());
  }
  publish();
  for (auto& capture : due.captures) {
    if (display_.is_lit()) {
      capture.set_value(card_.capture(display_.pacing().output().id));
    } else {
      capture.set_value(failure(ENODATA));
    }
  }
  complete(due.scene_done, scene_error);
  complete(due.vblank_done, 0);
  complete(due.flush_done, 0);
}

void Presenter::tick(bool has_writers) {
  ++statistics_.ticks;
  const auto plan = policy_.begin_tick(display_.scene().visible_bytes());
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

  const bool live = plan.upload_live && has_writers;
  display_.look_for_other_masters();
  if (live && display_.pacing().is_visible() && !display_.is_covered()) ++statistics_.hot_ticks;
  display_.upload(damage, live);
  if (!display_.present()) sharing_.present_failed();
}

/// Between vblanks: shows what was delivered; with `clean_first` also what programs drew and nobody delivered
/// yet.
void Presenter::refresh_now(bool clean_first) {
  if (!display_.pacing().is_visible() || display_.is_covered()) return;
  const bool hot = policy_.mode() == TrackingPolicy::Mode::hot;
  if (clean_first && !hot && pages_ != nullptr) {
    static_cast<void>(pages_->clean(display_.scene().visible_bytes()));
  }
  const DamageLog::Damage damage = damage_.take();
  // While hot the screen may be ahead of the shadow.
  display_.upload(damage, hot);
  if (!display_.present()) sharing_.present_failed();
}

void Presenter::publish() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
  const Screen& screen = display_.pacing();
  const Scene& scene = screen.scene();
  if (status_.mode != scene.mode) status_.mode = scene.mode;
  display_.describe(status_.outputs);
  status_.scanout_format = screen.format();
  status_.lit = screen.is_lit();
  status_.covered = screen.is_covered();
  status_.in_front = sharing_.is_in_front();
  status_.paths = card_.paths(screen.output().id);
  status_.mappings = card_.mapping_statistics();
  status_.power = screen.power();
  status_.tracker = policy_.mode();
  status_.error = screen.error();
}

}  // namespace fbemu
