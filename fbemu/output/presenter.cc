#include "fbemu/output/presenter.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <exception>
#include <functional>
#include <thread>
#include <utility>

namespace fbemu {

using base::failure;
using base::MutexLock;
using base::Result;
using drmclient::Capture;
using drmclient::Power;

namespace {

using base::Clock;
using std::chrono::nanoseconds;

void complete(std::vector<Presenter::Completion>& waiting, int error) {
  for (const Presenter::Completion& done : std::exchange(waiting, {})) {
    if (!done) continue;
    try {
      done(error);
    } catch (const std::exception& failed) {
      spdlog::error("cannot answer a program that waits: {}; end that program", failed.what());
    }
  }
}

}  // namespace

Presenter::Presenter(drmclient::Card& card, drmclient::Output& output, BackingStore& backing_store,
                     DamageLog& damage, Statistics& statistics, const ArbiterOptions& options,
                     const Clock& clock)
    : card_(card),
      damage_(damage),
      statistics_(statistics),
      clock_(clock),
      outputs_(card, output, options.outputs, backing_store, statistics, options.follow_monitor_mode, clock),
      arbiter_(outputs_, card, options, clock),
      pressure_(options.pressure) {
  status_.card = card_.info();
  output_ = std::make_shared<const drmclient::OutputInfo>(outputs_.primary_info());
}

Presenter::~Presenter() {
  stop();
}

void Presenter::start(const FramebufferState& fb_state, ProgramPages* pages) {
  pages_ = pages;
  outputs_.set_pages(pages);
  const auto possible = enable_on_demand() ? outputs_.check(fb_state) : outputs_.enable(fb_state);
  if (!possible) {
    throw std::system_error(possible.error(),
                            "cannot show a picture of " + fb_state.mode.name + " on " + outputs_.name());
  }
  outputs_.set_fb_state(fb_state);
  {
    // Front ends may serve already, and FBIOGET_VBLANK reads vblank_time_.
    const MutexLock lock(mutex_);
    vblank_time_ = clock_.now();
  }
  publish(true);
  thread_ = std::thread([this] { run(); });
}

void Presenter::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    wake();
    thread_.join();
  }
  // Requests that came after the thread's last look are completed here, later ones by request().
  Requests left;
  {
    const MutexLock lock(mutex_);
    finished_ = true;
    left = std::exchange(requests_, {});
  }
  complete(left.fb_state_done, 0);
  complete(left.vblank_done, 0);
  complete(left.flush_done, 0);
  complete(left.calls, ESHUTDOWN);
  for (auto& capture : left.captures) capture.set_value(failure(ESHUTDOWN));
}

// Requests from other threads.

void Presenter::wake() {
  wake_event_.signal();
}

void Presenter::request(const std::function<void(Requests&)>& ask) {
  Requests too_late;
  {
    const MutexLock lock(mutex_);
    ask(finished_ ? too_late : requests_);
    if (!finished_) {
      wake();
      return;
    }
  }
  complete(too_late.fb_state_done, 0);
  complete(too_late.vblank_done, 0);
  complete(too_late.flush_done, 0);
  complete(too_late.calls, ESHUTDOWN);
  for (auto& capture : too_late.captures) capture.set_value(failure(ESHUTDOWN));
}

bool Presenter::idle() const {
  const MutexLock lock(mutex_);
  return !busy_;
}

void Presenter::set_writers(Writers writers) {
  const MutexLock lock(mutex_);
  writers_ = std::move(writers);
  writers_changed_ = true;
  wake();
}

void Presenter::damaged() {
  wake();
}

void Presenter::show(const FramebufferState& fb_state, Completion done) {
  request([&](Requests& requests) {
    requests.fb_state = fb_state;
    requests.fb_state_done.push_back(std::move(done));
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

void Presenter::call(Completion work) {
  request([&](Requests& requests) { requests.calls.push_back(std::move(work)); });
}

Result<Capture> Presenter::capture() {
  std::promise<Result<Capture>> promise;
  std::future<Result<Capture>> future = promise.get_future();
  request([&](Requests& requests) { requests.captures.push_back(std::move(promise)); });
  return future.get();
}

Presenter::Status Presenter::status() const {
  const MutexLock lock(mutex_);
  Status status = status_;
  status.output = *output_;
  return status;
}

std::shared_ptr<const drmclient::OutputInfo> Presenter::output() const {
  const MutexLock lock(mutex_);
  return output_;
}

// The presenter's thread.

/// Runs one step of the thread. An exception ends the step, not the process; everything is uploaded again
/// then. Returns 0, or the errno for the requests of the step.
template <typename Step>
int Presenter::attempt(const Step& step) noexcept {
  try {
    step();
    return 0;
  } catch (const std::system_error& failed) {
    recover_from(failed.code(), failed.what());
    return failed.code().value() != 0 ? failed.code().value() : EIO;
  } catch (const std::exception& failed) {
    // Only a lack of memory throws here.
    recover_from(std::make_error_code(std::errc::not_enough_memory), failed.what());
    return ENOMEM;
  }
}

void Presenter::recover_from(std::error_code error, const char* cause) noexcept {
  if (exception_.update(error, clock_.now()) == ReportedError::News::fails) {
    spdlog::error("cannot show what programs draw on {}: {}; trying again", card_.info().driver, cause);
  }
  outputs_.mark_stale();
  const MutexLock lock(mutex_);
  writers_changed_ = true;
}

void Presenter::run() {
  ::pthread_setname_np(::pthread_self(), "presenter");
  for (bool stopping = false; !stopping;) {
    bool vblank = false;
    const bool waited = attempt([&] { vblank = wait_for_events(); }) == 0;
    if (!waited) hotplug_.event(clock_.now());
    {
      const MutexLock lock(mutex_);
      stopping = stopping_;
    }
    // If the vblank cannot be awaited, its requests are completed.
    const bool handled = handle(vblank || stopping || !waited);
    if (waited && handled) {
      if (exception_.update({}, clock_.now()) == ReportedError::News::works) {
        spdlog::info("what programs draw is shown again");
      }
    } else if (!stopping) {
      // If memory is short, a retry without a pause makes it worse.
      std::this_thread::sleep_for(outputs_.fb_state().mode.frame_period());
      wake();
    }
  }
  static_cast<void>(attempt([this] {
    if (enable_on_demand() && outputs_.is_enabled()) outputs_.release();
  }));
}

bool Presenter::needs_vblank() const {
  if (outputs_.has_work() || !damage_.empty()) return true;
  const MutexLock lock(mutex_);
  // While another VT is active, no change is visible.
  const bool may_change = writers_.count > 0 ? arbiter_.is_on_active_vt() : uncollected_;
  return may_change || requests_.fb_state.has_value() || !requests_.vblank_done.empty();
}

/// Requests the next vblank if it is needed. If the card cannot deliver one (unplugged, or not enabled), the
/// frame ends by the clock, so that programs are not held up. That time stays the same however often the
/// thread wakes until then.
void Presenter::ask_for_vblank() {
  if (!needs_vblank() || outputs_.pacing().output().request_vblank()) {
    frame_end_.reset();
  } else if (!frame_end_) {
    frame_end_ = clock_.now() + outputs_.fb_state().mode.frame_period();
  }
}

/// Returns the longest time to sleep; nothing if there is no limit.
std::optional<nanoseconds> Presenter::time_to_sleep() const {
  const auto now = clock_.now();
  std::optional<nanoseconds> shortest;
  const auto consider = [&](const std::optional<Clock::Time>& time, Clock::Time from) {
    if (!time) return;
    const nanoseconds left = std::max<nanoseconds>(*time - from, nanoseconds(0));
    shortest = shortest ? std::min(*shortest, left) : left;
  };
  consider(frame_end_, now);
  consider(hotplug_.look_at(), now);
  consider(arbiter_.update_at(), now);
  return shortest;
}

/// Sleeps until there is work. Returns true if a frame has passed.
bool Presenter::wait_for_events() {
  ask_for_vblank();
  std::array<pollfd, 4> events{{{wake_event_.get(), POLLIN, 0},
                                {card_.event_descriptor(), POLLIN, 0},
                                {arbiter_.descriptor(), POLLIN, 0},
                                {pressure_ != nullptr ? pressure_->descriptor() : -1, POLLPRI, 0}}};
  const auto sleep = time_to_sleep();
  const timespec timeout = base::to_timespec(sleep.value_or(nanoseconds(0)));
  const int ready = ::ppoll(events.data(), events.size(), sleep ? &timeout : nullptr, nullptr);
  if (hotplug_.take_look(clock_.now())) handle_hotplug();
  bool vblank = false;
  if (ready > 0) {
    if ((events[0].revents & POLLIN) != 0) wake_event_.clear();
    if (events[2].revents != 0) arbiter_.read_vts();
    if (events[3].revents != 0) handle_pressure(events[3].revents);
    vblank = events[1].revents != 0 && handle_card_events();
  }
  if (frame_end_ && *frame_end_ <= clock_.now()) {
    frame_end_.reset();
    vblank = true;
  }
  return vblank;
}

/// Handles the card's events. Returns true if a vblank was among them.
bool Presenter::handle_card_events() {
  bool vblank = false;
  const auto happened = card_.read_events();
  if (!happened) return false;
  for (const drmclient::Event& event : *happened) {
    if (const auto* reached = std::get_if<drmclient::VblankEvent>(&event)) {
      vblank = vblank || reached->output == &outputs_.pacing().output();
    } else if (std::holds_alternative<drmclient::HotplugEvent>(event)) {
      hotplug_.event(clock_.now());
    } else {
      spdlog::info("the machine was asleep; showing the picture again");
      hotplug_.look_now(clock_.now());
      outputs_.enable_once_more();
    }
  }
  return vblank;
}

void Presenter::handle_hotplug() {
  outputs_.handle_hotplug();
  auto output = std::make_shared<const drmclient::OutputInfo>(outputs_.primary_info());
  const MutexLock lock(mutex_);
  output_ = std::move(output);
}

void Presenter::handle_pressure(short events) {
  if ((events & POLLPRI) != 0) card_.release_mappings();
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) pressure_->close();
}

Presenter::Requests Presenter::take_requests(bool vblank, bool& has_writers) {
  const MutexLock lock(mutex_);
  has_writers = writers_.count > 0;
  busy_ = true;
  Requests due;
  due.flush_done = std::exchange(requests_.flush_done, {});
  due.captures = std::exchange(requests_.captures, {});
  due.power = std::exchange(requests_.power, std::nullopt);
  due.calls = std::exchange(requests_.calls, {});
  if (vblank) {
    due.fb_state = std::exchange(requests_.fb_state, std::nullopt);
    due.fb_state_done = std::exchange(requests_.fb_state_done, {});
    due.vblank_done = std::exchange(requests_.vblank_done, {});
  }
  return due;
}

void Presenter::take_writers() {
  Writers writers;
  {
    const MutexLock lock(mutex_);
    if (!writers_changed_ && !arbiter_.wants_writers()) return;
    writers = writers_;
    writers_changed_ = false;
  }
  // Without the lock, because this reads /proc to find the processes on a VT.
  arbiter_.set_writers(writers);
}

bool Presenter::handle(bool vblank) {
  int error = attempt([this] { take_writers(); });
  bool has_writers = false;
  Requests due = take_requests(vblank, has_writers);
  complete(due.calls, 0);
  int fb_state_error = 0;
  if (error == 0) {
    error = attempt([&] { show_and_present(due, vblank, has_writers, fb_state_error); });
  }
  const bool published = attempt([&] { publish(error == 0); }) == 0;
  for (auto& capture : due.captures) {
    Result<Capture> read = failure(error);
    if (error == 0) {
      if (const int failed = attempt([&] { read = read_back(); }); failed != 0) read = failure(failed);
    }
    capture.set_value(std::move(read));
  }
  complete(due.fb_state_done, due.fb_state ? error : fb_state_error);
  complete(due.vblank_done, error);
  complete(due.flush_done, error);
  if (due.power) {
    const MutexLock lock(mutex_);
    if (!requests_.power) requests_.power = due.power;
  }
  return error == 0 && published;
}

}  // namespace fbemu
