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

/// Limit for the end of a daemon. It takes some milliseconds; a busy machine or a sanitizer makes that more,
/// and one that hangs never ends.
inline constexpr std::chrono::milliseconds end_limit{10'000};

struct DaemonOptions {
  std::string program{};  ///< fbemud; empty: the one that was built
  std::string device{};   ///< empty: "fb" in the test's folder
  std::string card = "headless:640x480";
  std::vector<std::string> arguments{};  ///< further ones
  std::vector<std::string> command{};    ///< after "--"
  ProcessOptions process{};
  bool default_control = false;  ///< without --control
};

/// An fbemud that a test started. It is killed at the end of this object, if the test did not end it before.
class Daemon {
 public:
  /// Starts it in `folder` and waits until it says ready or has ended.
  Daemon(const std::string& folder, DaemonOptions options);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] const std::string& device() const { return options_.device; }
  [[nodiscard]] const std::string& control() const { return control_; }
  [[nodiscard]] pid_t guard() const { return guard_; }
  /// The number of its FUSE connection.
  [[nodiscard]] unsigned connection() const { return connection_; }
  [[nodiscard]] Process& process() { return process_; }

  [[nodiscard]] nlohmann::json ask(const std::string& command) const;
  [[nodiscard]] nlohmann::json status() const { return ask("status"); }
  [[nodiscard]] uint64_t statistic(const std::string& name) const;
  [[nodiscard]] std::string tracker() const;
  [[nodiscard]] Picture screenshot() const;
  /// What it wrote to its standard error until now.
  [[nodiscard]] const std::string& log();

  /// What its end has to be: 0 and nothing in the log but what goes well, unless a test says otherwise.
  void expect_exit_status(int status) { expected_status_ = status; }
  void expect_complaints() { complaints_ = true; }
  /// It and its guard were killed: what they leave is the next daemon's business.
  void expect_leftovers() { leftovers_ = true; }
  /// Where a killed daemon's mount hid what is there: whether the device's path has to exist afterwards.
  void expect_device_afterwards(bool exists) { device_stays_ = exists; }

  /// Sends the signal and checks everything about the end. Called with SIGTERM after each test.
  void end(int signal = SIGTERM);
  /// Waits for its end and checks that it is the expected one and that nothing is left.
  void check_end();

 private:
  void check_nothing_left() const;
  void watch(const std::stop_token& stop);

  DaemonOptions options_;
  std::string control_;
  std::string lock_;
  bool device_stays_;  ///< after the end

  base::UniqueFd notify_socket_;
  Process process_;
  bool ready_ = false;
  pid_t guard_ = 0;
  unsigned connection_ = 0;
  std::unique_ptr<ProcessHandle> guard_handle_;
  int expected_status_ = 0;
  bool complaints_ = false;
  bool leftovers_ = false;
  bool checked_ = false;

  // Kills a daemon that hangs: a program that waits for its answer, as the test itself, cannot be killed
  // before that.
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread watchdog_;
};

/// A folder for the test, and daemons in it that are ended and looked after when the test is over.
class DaemonTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Starts a daemon; the test fails where it does not come up. Valid to the end of the test.
  Daemon& start(const DaemonOptions& options = {});
  /// Starts one that may not come up.
  Daemon& try_to_start(const DaemonOptions& options);
  void end_daemons();
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
  std::vector<std::unique_ptr<Daemon>> daemons_;
};

/// The lines of /proc/self/mountinfo that contain `text`.
[[nodiscard]] std::vector<std::string> mounts_with(const std::string& text);

}  // namespace fuse_test
