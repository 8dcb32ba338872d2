#include "cuse/sleep/logind_monitor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/captured_log.h"
#include "tests/support/eventually.h"

namespace {

using cuse::Bus;
using cuse::LogindMonitor;
using unit::eventually;

constexpr const char* manager = "org.freedesktop.login1.Manager";

/// logind at the other end of a connection without a bus between. It runs on the test's thread.
class FakeLogind {
 public:
  /// Returns the monitor's end of a new connection.
  Bus connect() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    server_end_ = ends[0];
    sd_bus* client = nullptr;
    EXPECT_GE(::sd_bus_new(&client), 0);
    Bus bus(client);
    EXPECT_GE(::sd_bus_set_fd(client, ends[1], ends[1]), 0);
    EXPECT_GE(::sd_bus_negotiate_fds(client, 1), 0);
    EXPECT_GE(::sd_bus_start(client), 0);
    connected_ = true;
    return bus;
  }
  /// Starts to serve the connection that the monitor has made.
  void serve() {
    ASSERT_TRUE(eventually([&] { return connected_.exchange(false); }));
    sd_bus* server = nullptr;
    ASSERT_GE(::sd_bus_new(&server), 0);
    bus_.reset(server);
    sd_id128_t id{};
    ASSERT_GE(::sd_id128_randomize(&id), 0);
    ASSERT_GE(::sd_bus_set_fd(server, server_end_, server_end_), 0);
    ASSERT_GE(::sd_bus_set_server(server, 1, id), 0);
    ASSERT_GE(::sd_bus_negotiate_fds(server, 1), 0);
    ASSERT_GE(::sd_bus_add_filter(server, nullptr, &FakeLogind::handle, this), 0);
    ASSERT_GE(::sd_bus_start(server), 0);
  }
  void disconnect() { bus_.reset(); }

  /// Answers the monitor's requests until `condition` holds.
  template <typename Condition>
  [[nodiscard]] bool serve_until(Condition condition) {
    return eventually([&] {
      while (::sd_bus_process(bus_.get(), nullptr) > 0) {
      }
      return condition();
    });
  }
  void signal(const char* path, const char* interface, const char* member, const char* sender,
              const std::function<int(sd_bus_message*)>& append) const {
    sd_bus_message* message = nullptr;
    ASSERT_GE(::sd_bus_message_new_signal(bus_.get(), &message, path, interface, member), 0);
    EXPECT_GE(::sd_bus_message_set_sender(message, sender), 0);
    EXPECT_GE(append(message), 0);
    EXPECT_GE(::sd_bus_send(bus_.get(), message, nullptr), 0);
    ::sd_bus_message_unref(message);
  }
  void prepare_for_sleep(bool begins) const {
    signal("/org/freedesktop/login1", manager, "PrepareForSleep", "org.freedesktop.login1",
           [&](sd_bus_message* message) { return ::sd_bus_message_append(message, "b", begins ? 1 : 0); });
  }
  void start_again() const {
    signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "org.freedesktop.DBus",
           [](sd_bus_message* message) {
             return ::sd_bus_message_append(message, "sss", "org.freedesktop.login1", "", ":1.7");
           });
  }

  /// Returns true if the monitor holds the last inhibitor.
  [[nodiscard]] bool is_delayed() const {
    pollfd event{inhibitor_.get(), 0, 0};
    return inhibitor_ && ::poll(&event, 1, 0) == 0;
  }
  int requests = 0;                    ///< number of requested inhibitors
  std::vector<std::string> arguments;  ///< of the last one
  bool refuses = false;

 private:
  static int handle(sd_bus_message* message, void* user_data, sd_bus_error*) {
    if (::sd_bus_message_is_method_call(message, manager, "Inhibit") <= 0) return 0;
    auto& self = *static_cast<FakeLogind*>(user_data);
    ++self.requests;
    std::array<const char*, 4> words{};
    EXPECT_GE(::sd_bus_message_read(message, "ssss", &words[0], &words[1], &words[2], &words[3]), 0);
    self.arguments.assign(words.begin(), words.end());
    if (self.refuses) return ::sd_bus_reply_method_errorf(message, "org.test.No", "no");
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    self.inhibitor_.reset(ends[0]);
    const base::UniqueFd lock(ends[1]);
    return ::sd_bus_reply_method_return(message, "h", lock.get());
  }

  std::atomic<bool> connected_{false};
  int server_end_ = -1;
  Bus bus_;
  base::UniqueFd inhibitor_;
};

class LogindMonitorTest : public testing::Test {
 protected:
  LogindMonitor::Environment environment() {
    LogindMonitor::Environment environment;
    environment.before_sleep = [this] {
      delayed_during_freeze = logind.is_delayed();
      ++freezes;
    };
    environment.after_wake = [this] { ++thaws; };
    environment.open_bus = [this](bool wait) -> base::Result<Bus> {
      ++opens;
      if (wait) waits = true;
      if (open_error != 0 && !wait) return base::failure(open_error);
      return logind.connect();
    };
    environment.retry_interval = std::chrono::milliseconds(1);
    return environment;
  }
  void expect_inhibitor() {
    EXPECT_TRUE(logind.serve_until([&] { return logind.is_delayed(); }));
  }

  FakeLogind logind;
  std::atomic<int> freezes{0};
  std::atomic<int> thaws{0};
  std::atomic<int> opens{0};
  std::atomic<bool> waits{false};
  std::atomic<bool> delayed_during_freeze{false};
  std::atomic<int> open_error{0};
};

TEST_F(LogindMonitorTest, DelayInhibitorIsTakenAtStart) {
  const LogindMonitor monitor(environment());
  logind.serve();
  expect_inhibitor();
  ASSERT_EQ(logind.arguments.size(), 4U);
  EXPECT_EQ(logind.arguments[0], "sleep");
  EXPECT_EQ(logind.arguments[1], "fbemud");
  EXPECT_EQ(logind.arguments[3], "delay");
}

TEST_F(LogindMonitorTest, ProgramsAreFrozenBeforeInhibitorIsReleased) {
  const LogindMonitor monitor(environment());
  logind.serve();
  for (int sleep = 1; sleep <= 3; ++sleep) {
    expect_inhibitor();
    logind.prepare_for_sleep(true);
    EXPECT_TRUE(logind.serve_until([&] { return !logind.is_delayed(); }));
    EXPECT_EQ(freezes, sleep);
    EXPECT_TRUE(delayed_during_freeze);
    EXPECT_EQ(thaws, sleep - 1);
    logind.prepare_for_sleep(false);
    EXPECT_TRUE(logind.serve_until([&] { return thaws == sleep; }));
  }
  expect_inhibitor();
}

TEST_F(LogindMonitorTest, RefusedInhibitorIsLoggedOnceAndSignalsStillCount) {
  const unit::CapturedLog log;
  logind.refuses = true;
  const LogindMonitor monitor(environment());
  logind.serve();
  for (int sleep = 1; sleep <= 2; ++sleep) {
    logind.prepare_for_sleep(true);
    logind.prepare_for_sleep(false);
    EXPECT_TRUE(logind.serve_until([&] { return thaws == sleep && logind.requests == sleep + 1; }));
  }
  EXPECT_EQ(freezes, 2);
  EXPECT_EQ(log.count("info: no reports of the machine's sleep"), 1);
}

TEST_F(LogindMonitorTest, InhibitorIsTakenWhenLogindStartsLater) {
  logind.refuses = true;
  const LogindMonitor monitor(environment());
  logind.serve();
  ASSERT_TRUE(logind.serve_until([&] { return logind.requests == 1; }));
  logind.refuses = false;
  logind.start_again();
  expect_inhibitor();
}

TEST_F(LogindMonitorTest, MissingBusIsLoggedOnceAndWaitedFor) {
  const unit::CapturedLog log;
  open_error = ENOENT;
  const LogindMonitor monitor(environment());
  logind.serve();
  EXPECT_TRUE(waits);
  expect_inhibitor();
  EXPECT_EQ(opens, 2) << "the monitor does not try in a loop";
  EXPECT_EQ(log.count("info: no reports of the machine's sleep"), 1);
}

TEST_F(LogindMonitorTest, LostConnectionIsMadeAgain) {
  const LogindMonitor monitor(environment());
  logind.serve();
  expect_inhibitor();
  logind.disconnect();
  logind.serve();
  expect_inhibitor();
  logind.prepare_for_sleep(true);
  EXPECT_TRUE(logind.serve_until([&] { return freezes == 1; }));
}

TEST_F(LogindMonitorTest, BusThatFailsIsTriedAgain) {
  const unit::CapturedLog log;
  open_error = EACCES;
  const LogindMonitor monitor(environment());
  EXPECT_TRUE(eventually([&] { return opens >= 3; }));
  open_error = 0;
  logind.serve();
  expect_inhibitor();
  EXPECT_EQ(log.count("info: no reports of the machine's sleep"), 1);
}

TEST_F(LogindMonitorTest, DestructorReleasesInhibitor) {
  {
    const LogindMonitor monitor(environment());
    logind.serve();
    expect_inhibitor();
  }
  EXPECT_FALSE(logind.is_delayed());
}

}  // namespace
