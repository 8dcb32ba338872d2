#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "picture.h"
#include "process.h"

namespace fuse_test {

/// Limit for the end of a daemon. The end takes some milliseconds, but longer on a busy machine or under a
/// sanitizer; a daemon that hangs never ends.
inline constexpr std::chrono::milliseconds end_limit{10'000};

struct DaemonOptions {
  std::string program{};  ///< path of fbemud; empty: the built one
  std::string device{};   ///< empty: "fb" in the test's folder
  std::string card = "headless:640x480";
  std::vector<std::string> arguments{};  ///< further arguments
  std::vector<std::string> command{};    ///< the command after "--"
  ProcessOptions process{};
  bool default_control = false;  ///< true to start without --control
};

/// An fbemud that a test started. The destructor kills it if the test did not end it.
class Daemon {
 public:
  /// Starts fbemud in `folder` and waits until it reports ready or has ended.
  Daemon(const std::string& folder, DaemonOptions options);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] const std::string& device() const { return options_.device; }
  [[nodiscard]] const std::string& control() const { return control_; }
  [[nodiscard]] pid_t guard() const { return guard_; }
  /// Returns the number of its FUSE connection.
  [[nodiscard]] unsigned connection() const { return connection_; }
  [[nodiscard]] Process& process() { return process_; }

  [[nodiscard]] nlohmann::json ask(const std::string& command) const;
  [[nodiscard]] nlohmann::json status() const { return ask("status"); }
  [[nodiscard]] uint64_t statistic(const std::string& name) const;
  [[nodiscard]] std::string tracker() const;
  [[nodiscard]] Picture screenshot() const;
  /// Returns its standard error until now.
  [[nodiscard]] const std::string& log();

  /// Sets the expected exit status; the default is 0.
  void expect_exit_status(int status) { expected_status_ = status; }
  /// Allows warnings and errors in the log, which otherwise fail the test.
  void expect_warnings() { warnings_ = true; }
  /// Skips the check for leftovers, because the test killed the daemon and its guard.
  void expect_leftovers() { leftovers_ = true; }
  /// Sets the expected existence of the device's path after the end. Required if a killed daemon's mount hid
  /// the path at the start.
  void expect_device_afterwards(bool exists) { device_stays_ = exists; }

  /// Sends the signal and checks the end. Called with SIGTERM after each test.
  void end(int signal = SIGTERM);
  /// Waits for the end and checks its exit status, log and leftovers.
  void check_end();

 private:
  void check_nothing_left() const;
  void watch(const std::stop_token& stop);

  DaemonOptions options_;
  std::string control_;
  std::string lock_;
  bool device_stays_;  ///< true if the device's path has to exist after the end

  base::UniqueFd notify_socket_;
  Process process_;
  bool ready_ = false;
  pid_t guard_ = 0;
  unsigned connection_ = 0;
  std::unique_ptr<ProcessHandle> guard_handle_;
  int expected_status_ = 0;
  bool warnings_ = false;
  bool leftovers_ = false;
  bool checked_ = false;

  // The watchdog kills a daemon that hangs, because a program that waits for its answer (as the test itself)
  // cannot be killed before that.
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread watchdog_;
};

/// A folder for the test, and daemons in it that are ended and checked after the test.
class DaemonTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Starts a daemon, which is valid to the end of the test. Throws if it does not become ready.
  Daemon& start(const DaemonOptions& options = {});
  /// Starts a daemon that may not become ready.
  Daemon& try_to_start(const DaemonOptions& options);
  void end_daemons();
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
  std::vector<std::unique_ptr<Daemon>> daemons_;
};

/// Returns the lines of /proc/self/mountinfo that contain `text`.
[[nodiscard]] std::vector<std::string> mounts_with(const std::string& text);

}  // namespace fuse_test
