// The start of a second daemon while the first is stopped (SIGSTOP) or its lock is held. The second ends in
// time, reports the cause, and can be interrupted.

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "cuse/service/runtime_files.h"
#include "daemon.h"
#include "device_file.h"

namespace fuse_test {
namespace {

class StoppedTest : public DaemonTest {
 protected:
  [[nodiscard]] std::string lock_path() const {
    return cuse::runtime_directory() + "/" + cuse::runtime_name(file("fb")) + ".lock";
  }
  [[nodiscard]] std::vector<std::string> second_daemon() const {
    return {FBEMUD_PATH, "--verbose", "--device",  file("fb"),
            "--card",    "headless",  "--control", file("second")};
  }
  static void stop(Daemon& daemon) {
    daemon.process().signal(SIGSTOP);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(daemon.process().id()), &info, WSTOPPED | WNOWAIT), 0);
  }
  /// Sends SIGINT when the log of `process` contains `text`, and expects an orderly end.
  static void interrupt_at(Process& process, const std::string& text) {
    ASSERT_TRUE(eventually([&] {
      process.collect();
      return process.errors().find(text) != std::string::npos || !process.running();
    }));
    process.signal(SIGINT);
    EXPECT_EQ(process.wait(), 0) << process.errors();
    EXPECT_NE(process.errors().find("stopped while waiting for"), std::string::npos) << process.errors();
  }
};

TEST_F(StoppedTest, SecondStartNamesStoppedDaemonAndRemedy) {
  Daemon& first = start();
  stop(first);
  const Ended second = run(second_daemon());
  first.process().signal(SIGCONT);
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.errors.find("kill -CONT " + std::to_string(first.process().id())), std::string::npos)
      << second.errors;
  EXPECT_EQ(DeviceFile(first.device()).var().xres, 640U) << "the first daemon still serves";
}

TEST_F(StoppedTest, SecondStartWithoutLockEndsIfMountDoesNotAnswer) {
  // In another container, /run is not that of the first daemon.
  Daemon& first = start();
  stop(first);
  ASSERT_TRUE(std::filesystem::remove(lock_path()));
  const Ended second = run(second_daemon());
  first.process().signal(SIGCONT);
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.errors.find("process " + std::to_string(first.process().id())), std::string::npos)
      << second.errors;
  EXPECT_NE(second.errors.find("does not answer"), std::string::npos) << second.errors;
  EXPECT_EQ(DeviceFile(first.device()).var().xres, 640U) << "the first daemon still serves";
}

TEST_F(StoppedTest, SigintEndsWaitForMountOfStoppedDaemon) {
  Daemon& first = start();
  stop(first);
  ASSERT_TRUE(std::filesystem::remove(lock_path()));
  Process second(second_daemon());
  interrupt_at(second, "asking whether process " + std::to_string(first.process().id()) + " serves");
  first.process().signal(SIGCONT);
}

TEST_F(StoppedTest, SigintEndsWaitForLock) {
  cuse::make_runtime_directory();
  const base::UniqueFd lock(::open(lock_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  Process process(second_daemon());
  interrupt_at(process, "waiting until what process 0 left");
  ::unlink(lock_path().c_str());
}

TEST_F(StoppedTest, LockFileIsInaccessibleToOtherUser) {
  Daemon& daemon = start();
  const Ended ended = run({"cat", lock_path()}, {.prepare = [] {
                            constexpr uid_t nobody = 65'534;
                            return ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
                                   ::setresuid(nobody, nobody, nobody) == 0;
                          }});
  EXPECT_NE(ended.errors.find("Permission denied"), std::string::npos) << ended.errors;
  EXPECT_EQ(daemon.status().at("device"), daemon.device());
}

}  // namespace
}  // namespace fuse_test
