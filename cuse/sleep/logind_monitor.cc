#include "cuse/sleep/logind_monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "cuse/service/failure_report.h"

namespace cuse {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr const char* logind = "org.freedesktop.login1";
constexpr const char* logind_path = "/org/freedesktop/login1";
constexpr const char* logind_manager = "org.freedesktop.login1.Manager";

std::string message(int error) {
  return std::generic_category().message(error);
}

/// Opens the system bus without waiting for it. sd_bus_open_system(3) has no way to wait for the socket.
base::Result<Bus> open_system_bus(bool wait) {
  sd_bus* made = nullptr;
  if (const int error = ::sd_bus_new(&made); error < 0) return base::failure(-error);
  Bus bus(made);
  const char* address = ::secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
  int result =
      ::sd_bus_set_address(bus.get(), address != nullptr ? address : "unix:path=/run/dbus/system_bus_socket");
  if (result >= 0) result = ::sd_bus_set_bus_client(bus.get(), 1);
  if (result >= 0) result = ::sd_bus_set_watch_bind(bus.get(), wait ? 1 : 0);
  if (result >= 0) result = ::sd_bus_negotiate_fds(bus.get(), 1);
  if (result >= 0) result = ::sd_bus_start(bus.get());
  if (result < 0) return base::failure(-result);
  return bus;
}

LogindMonitor::Environment environment_for(ProgramFreezer& freezer) {
  LogindMonitor::Environment environment;
  environment.before_sleep = [&freezer] {
    try {
      freezer.freeze();
    } catch (const std::exception& error) {
      spdlog::warn("{}; programs that draw may keep the machine from sleeping", error.what());
    }
  };
  environment.after_wake = [&freezer] { freezer.thaw(); };
  environment.open_bus = &open_system_bus;
  return environment;
}

}  // namespace

void BusCloser::operator()(sd_bus* bus) const {
  ::sd_bus_close_unref(bus);
}

LogindMonitor::LogindMonitor(ProgramFreezer& freezer) : LogindMonitor(environment_for(freezer)) {}

LogindMonitor::LogindMonitor(Environment environment)
    : environment_(std::move(environment)), thread_([this] { run(); }) {}

LogindMonitor::~LogindMonitor() {
  stop_event_.signal();
  thread_.join();
}

// The functions below run on the thread.

void LogindMonitor::run() {
  ::pthread_setname_np(::pthread_self(), "sleep");
  pollfd stop{stop_event_.get(), POLLIN, 0};
  do {
    try {
      connect_and_serve(false);
    } catch (...) {
      report_current_exception("the connection to logind");
    }
    bus_.reset();
    inhibitor_.reset();
    sleeping_ = false;
  } while (::poll(&stop, 1, static_cast<int>(environment_.retry_interval.count())) == 0);
}

/// Returns when the connection has ended, or when the monitor has to end.
void LogindMonitor::connect_and_serve(bool wait) {
  auto opened = environment_.open_bus(wait);
  if (!opened) {
    const int error = opened.error().value();
    report_missing("the system bus: " + message(error));
    const bool may_come = error == ENOENT || error == ECONNREFUSED;
    if (may_come && !wait) connect_and_serve(true);
    return;
  }
  bus_ = std::move(*opened);
  int error = subscribe();
  if (error == 0) {
    take_inhibitor();
    error = serve();
  }
  if (error != 0) report_missing("the system bus: " + message(error));
}

/// Requests the signals. Returns 0 or an errno.
int LogindMonitor::subscribe() {
  int result = ::sd_bus_match_signal_async(bus_.get(), nullptr, logind, logind_path, logind_manager,
                                           "PrepareForSleep", &prepare_for_sleep, nullptr, this);
  if (result < 0) return -result;
  // Only changes of logind's own name, so that no other client of the bus wakes this thread.
  result =
      ::sd_bus_add_match_async(bus_.get(), nullptr,
                               "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                               "member='NameOwnerChanged',arg0='org.freedesktop.login1'",
                               &owner_changed, nullptr, this);
  return result < 0 ? -result : 0;
}

/// Serves the connection until it ends, or until the monitor has to end. Returns 0 or an errno.
int LogindMonitor::serve() {
  do {
    int processed = 0;
    do {
      processed = ::sd_bus_process(bus_.get(), nullptr);
    } while (processed > 0);
    if (processed < 0) return -processed;
  } while (wait_for_bus());
  return 0;
}

/// Waits for input of the connection or for its next timeout. Returns false if the monitor has to end.
bool LogindMonitor::wait_for_bus() {
  uint64_t deadline = std::numeric_limits<uint64_t>::max();  // microseconds of CLOCK_MONOTONIC
  ::sd_bus_get_timeout(bus_.get(), &deadline);
  int timeout = -1;
  if (deadline != std::numeric_limits<uint64_t>::max()) {
    const auto left = microseconds(deadline) - std::chrono::duration_cast<microseconds>(
                                                   base::monotonic_clock().now().time_since_epoch());
    timeout = static_cast<int>(std::max<int64_t>(std::chrono::ceil<milliseconds>(left).count(), 0));
  }
  std::array<pollfd, 2> events{{{stop_event_.get(), POLLIN, 0}, {::sd_bus_get_fd(bus_.get()), 0, 0}}};
  events[1].events = static_cast<short>(::sd_bus_get_events(bus_.get()));
  ::poll(events.data(), events.size(), timeout);
  return events[0].revents == 0;
}

/// Requests a delay inhibitor, which arrives in inhibited().
void LogindMonitor::take_inhibitor() {
  const int result = ::sd_bus_call_method_async(
      bus_.get(), nullptr, logind, logind_path, logind_manager, "Inhibit", &inhibited, this, "ssss", "sleep",
      "fbemud", "Programs that draw on the framebuffer are stopped before the sleep", "delay");
  if (result < 0) report_missing("logind: " + message(-result));
}

int LogindMonitor::inhibited(sd_bus_message* reply, void* user_data, sd_bus_error*) {
  auto& monitor = *static_cast<LogindMonitor*>(user_data);
  int received = -1;  // owned by the message
  int result = -::sd_bus_message_get_errno(reply);
  if (result == 0) result = ::sd_bus_message_read(reply, "h", &received);
  if (result < 0) {
    monitor.report_missing("logind: " + message(-result));
    return 0;
  }
  monitor.missing_logged_ = false;
  // A sleep may have begun since the request; the next inhibitor comes after it.
  if (!monitor.sleeping_) monitor.inhibitor_.reset(::fcntl(received, F_DUPFD_CLOEXEC, 0));
  return 0;
}

int LogindMonitor::prepare_for_sleep(sd_bus_message* signal, void* user_data, sd_bus_error*) {
  auto& monitor = *static_cast<LogindMonitor*>(user_data);
  int begins = 0;
  if (::sd_bus_message_read(signal, "b", &begins) < 0) return 0;
  monitor.sleeping_ = begins != 0;
  if (monitor.sleeping_) {
    monitor.environment_.before_sleep();
    monitor.inhibitor_.reset();
  } else {
    monitor.environment_.after_wake();
    monitor.take_inhibitor();
  }
  return 0;
}

/// Takes an inhibitor of a logind that has just started.
int LogindMonitor::owner_changed(sd_bus_message* signal, void* user_data, sd_bus_error*) {
  const char* name = nullptr;
  const char* before = nullptr;
  const char* now = nullptr;
  if (::sd_bus_message_read(signal, "sss", &name, &before, &now) < 0 || *now == '\0') return 0;
  static_cast<LogindMonitor*>(user_data)->take_inhibitor();
  return 0;
}

/// Logs once that sleeps are not followed, until they are.
void LogindMonitor::report_missing(const std::string& reason) {
  const auto level = std::exchange(missing_logged_, true) ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(
      level,
      "no reports of the machine's sleep from {}; until they come, only \"fbemuctl freeze\" stops programs "
      "before a sleep",
      reason);
}

}  // namespace cuse
