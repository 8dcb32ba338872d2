#pragma once

#include <systemd/sd-bus.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/event_fd.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "cuse/sleep/program_freezer.h"
#include "cuse/sleep/sleep_monitor.h"

namespace cuse {

struct BusCloser {
  void operator()(sd_bus* bus) const;
};
/// An owned connection of sd-bus(3).
using Bus = std::unique_ptr<sd_bus, BusCloser>;

/// The client of logind: freezes the programs at its signal PrepareForSleep(true), and thaws them at
/// PrepareForSleep(false).
///
/// A delay inhibitor makes logind wait for the freeze, and is taken again after each sleep. If the system bus
/// or logind is missing, the log has it once, and the monitor waits until it comes. It has a thread of its
/// own, because a freeze may take a second, in which the main loop must not miss a signal.
class LogindMonitor final : public SleepMonitor {
 public:
  struct Environment {
    std::function<void()> before_sleep;  ///< freezes the programs; must not throw
    std::function<void()> after_wake;    ///< thaws the programs; must not throw
    /// Opens the system bus. If it does not exist, returns ENOENT or ECONNREFUSED; if `wait` is set, the
    /// connection waits for it.
    std::function<base::Result<Bus>(bool wait)> open_bus;
    std::chrono::milliseconds retry_interval{30'000};  ///< after a connection that failed
  };

  /// Starts the thread. Throws std::system_error if none can be made.
  explicit LogindMonitor(ProgramFreezer& freezer);
  explicit LogindMonitor(Environment environment);
  LogindMonitor(const LogindMonitor&) = delete;
  LogindMonitor& operator=(const LogindMonitor&) = delete;
  /// Ends the thread, after the freeze if one is in progress.
  ~LogindMonitor() override;

 private:
  static int prepare_for_sleep(sd_bus_message* signal, void* user_data, sd_bus_error*);
  static int owner_changed(sd_bus_message* signal, void* user_data, sd_bus_error*);
  static int inhibited(sd_bus_message* reply, void* user_data, sd_bus_error*);

  void run();
  void connect_and_serve(bool wait);
  [[nodiscard]] int subscribe();
  [[nodiscard]] int serve();
  [[nodiscard]] bool wait_for_bus();
  void take_inhibitor();
  void report_missing(const std::string& reason);

  const Environment environment_;
  base::EventFd stop_event_;
  // Used by the thread only.
  Bus bus_;
  base::UniqueFd inhibitor_;
  bool sleeping_ = false;
  bool missing_logged_ = false;  ///< True until logind has given an inhibitor
  std::thread thread_;
};

}  // namespace cuse
