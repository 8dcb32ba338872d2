// A daemon that is stopped (SIGSTOP), or whose lock is held, and another that is started meanwhile: that one
// ends in time, says why, and can be interrupted.

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
  /// Sends SIGINT once the log of `process` has `text`, and expects its end as after any such signal.
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

TEST_F(StoppedTest, SecondStartOnTheDeviceOfAStoppedDaemonNamesItAndHowToContinueIt) {
  Daemon& first = start();
  stop(first);
  const Ended second = run(second_daemon());
  first.process().signal(SIGCONT);
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.errors.find("kill -CONT " + std::to_string(first.process().id())), std::string::npos)
      << second.errors;
  EXPECT_EQ(DeviceFile(first.device()).var().xres, 640U) << "it serves on";
}

TEST_F(StoppedTest, SecondStartWithoutTheFirstOnesLockEndsThoughTheMountDoesNotAnswer) {
  // As in another container, whose /run is not the first daemon's.
  Daemon& first = start();
  stop(first);
  ASSERT_TRUE(std::filesystem::remove(lock_path()));
  const Ended second = run(second_daemon());
  first.process().signal(SIGCONT);
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.errors.find("process " + std::to_string(first.process().id())), std::string::npos)
      << second.errors;
  EXPECT_NE(second.errors.find("does not answer"), std::string::npos) << second.errors;
  EXPECT_EQ(DeviceFile(first.device()).var().xres, 640U) << "it serves on";
}

TEST_F(StoppedTest, SecondStartThatWaitsForAStoppedDaemonsMountEndsWithSigint) {
  Daemon& first = start();
  stop(first);
  ASSERT_TRUE(std::filesystem::remove(lock_path()));
  Process second(second_daemon());
  interrupt_at(second, "asking whether process " + std::to_string(first.process().id()) + " serves");
  first.process().signal(SIGCONT);
}

TEST_F(StoppedTest, StartThatWaitsForALockEndsWithSigint) {
  cuse::make_runtime_directory();
  const base::UniqueFd lock(::open(lock_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  Process process(second_daemon());
  interrupt_at(process, "waiting until what process 0 left");
  ::unlink(lock_path().c_str());
}

TEST_F(StoppedTest, LockFileCannotBeOpenedByAnotherUser) {
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
