// The lock on a device while another process holds it: a guard that cleans up, or a user who tries to block
// the next start.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "cuse/node/node_lock.h"
#include "cuse/service/runtime_files.h"
#include "cuse/service/stop_signals.h"
#include "tests/support/captured_log.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/node_fixture.h"
#include "tests/support/other_user.h"
#include "tests/support/thrown.h"

using base::UniqueFd;
using unit::ChildProcess;
using unit::TakenPath;

namespace {

constexpr unsigned hang_seconds = 60;

class NodeLockTest : public unit::NodeFixture {
 protected:
  NodeLockTest() { cuse::make_runtime_directory(); }
  ~NodeLockTest() override { ::unlink(lock_path.c_str()); }

  /// Makes the lock file with a record, as a daemon does.
  void write_lock_file(pid_t daemon, mode_t mode) const {
    const UniqueFd file(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    ASSERT_EQ(::fchmod(file.get(), mode), 0);
    const std::string record = std::to_string(daemon) + "\n";
    ASSERT_EQ(::write(file.get(), record.data(), record.size()), static_cast<ssize_t>(record.size()));
  }
  [[nodiscard]] UniqueFd hold_lock(int flags = O_RDWR) const {
    UniqueFd file(::open(lock_path.c_str(), flags | O_CLOEXEC));
    EXPECT_EQ(::flock(file.get(), LOCK_EX | LOCK_NB), 0);
    return file;
  }
  /// Returns the id of a process that has ended.
  static pid_t ended_process() {
    ChildProcess process([] { return 0; });
    const pid_t id = process.process();
    EXPECT_EQ(process.wait(), 0);
    return id;
  }

  std::string lock_path = cuse::runtime_directory() + "/" + cuse::runtime_name(device) + ".lock";
  unit::CapturedLog log;
};

}  // namespace

TEST_F(NodeLockTest, FileIsForItsOwnerOnly) {
  const mode_t mask = ::umask(0);
  const TakenPath node(device);
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat(node.lock_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(NodeLockTest, FileOpenToOthersIsClosedToThem) {
  write_lock_file(ended_process(), 0644);
  const TakenPath node(device);
  struct stat status {};
  ASSERT_EQ(::stat(lock_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(NodeLockTest, FileWithASecondNameReturnsEpermAndIsNotWritten) {
  make_file(folder.file("mine"));
  if (::link(folder.file("mine").c_str(), lock_path.c_str()) != 0) {
    // The folders are on different file systems; a second name in the same folder does as well.
    make_file(lock_path);
    ASSERT_EQ(::link(lock_path.c_str(), (lock_path + ".mine").c_str()), 0);
  }
  const auto thrown = unit::thrown_by([&] { const TakenPath node(device); });
  ::unlink((lock_path + ".mine").c_str());
  EXPECT_EQ(thrown.code, EPERM);
  EXPECT_TRUE(thrown.says(lock_path + " is not a file of fbemud")) << thrown.what;
  struct stat status {};
  ASSERT_EQ(::stat(lock_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 8);
}

TEST_F(NodeLockTest, FileOfAnotherUserReturnsEperm) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, who can give a file away";
  write_lock_file(0, 0600);
  ASSERT_EQ(::chown(lock_path.c_str(), unit::other_user, unit::other_user), 0);
  EXPECT_EQ(unit::thrown_by([&] { const TakenPath node(device); }).code, EPERM);
}

TEST_F(NodeLockTest, LockHeldByAnotherUserReturnsEbusyAtTheTimeoutAndNamesTheHolder) {
  write_lock_file(ended_process(), 0644);
  unit::Pipe news;
  ChildProcess other([&] {
    if (::geteuid() == 0 && !unit::become_other_user()) return 1;
    const UniqueFd held = hold_lock(O_RDONLY);
    news.put('h');
    unit::wait_to_be_killed();
  });
  ASSERT_EQ(news.get(), 'h');
  ChildProcess start([&] {
    ::alarm(hang_seconds);
    constexpr std::chrono::milliseconds timeout{50};
    const auto thrown = unit::thrown_by([&] { const cuse::NodeLock lock(device, timeout); });
    const bool named = thrown.says("is held by process " + std::to_string(other.process())) ||
                       thrown.says("fuser " + lock_path);
    return thrown.code == EBUSY && named ? 0 : 1;
  });
  EXPECT_EQ(start.wait(), 0);
}

TEST_F(NodeLockTest, LockWithoutARecordIsWaitedFor) {
  write_lock_file(0, 0600);
  UniqueFd held = hold_lock();
  std::atomic<bool> taken{false};
  std::thread next([&] {
    EXPECT_EQ(unit::thrown_by([&] { const TakenPath node(device); }).what, "");
    taken = true;
  });
  EXPECT_TRUE(unit::eventually([&] { return taken || log.count("waiting until") > 0; }));
  EXPECT_FALSE(taken);
  held.reset();
  next.join();
  EXPECT_TRUE(taken);
}

TEST_F(NodeLockTest, LockOfAKilledDaemonsGuardIsWaitedFor) {
  const pid_t daemon = ended_process();
  write_lock_file(daemon, 0600);
  UniqueFd held = hold_lock();
  std::atomic<bool> taken{false};
  std::thread next([&] {
    const TakenPath node(device);
    taken = true;
  });
  const std::string waiting = "waiting until what process " + std::to_string(daemon);
  EXPECT_TRUE(unit::eventually([&] { return taken || log.count(waiting) > 0; }));
  EXPECT_FALSE(taken);
  ::unlink(lock_path.c_str());
  held.reset();
  next.join();
  EXPECT_TRUE(taken);
}

TEST_F(NodeLockTest, WaitWithAPendingStopSignalThrows) {
  write_lock_file(ended_process(), 0600);
  const UniqueFd held = hold_lock();
  ChildProcess start([&] {
    ::alarm(hang_seconds);
    const sigset_t signals = cuse::stop_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::raise(SIGTERM);
    try {
      const cuse::NodeLock lock(device, std::chrono::hours(1));
    } catch (const cuse::StopRequested& stop) {
      return stop.signal() == SIGTERM ? 0 : 1;
    }
    return 1;
  });
  EXPECT_EQ(start.wait(), 0);
}

TEST_F(NodeLockTest, LockOfAStoppedDaemonReturnsEbusyAndTheCommandToContinueIt) {
  unit::Pipe news;
  ChildProcess daemon([&] {
    const TakenPath node(device);
    news.put('r');
    unit::wait_to_be_killed();
    return 0;
  });
  ASSERT_EQ(news.get(), 'r');
  ASSERT_EQ(::kill(daemon.process(), SIGSTOP), 0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(daemon.process()), &info, WSTOPPED | WNOWAIT), 0);
  const auto thrown = unit::thrown_by([&] { const TakenPath second(device); });
  EXPECT_EQ(thrown.code, EBUSY);
  EXPECT_TRUE(thrown.says("kill -CONT " + std::to_string(daemon.process()))) << thrown.what;
}
