#include "cuse/node/mount_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "cuse/node/node_lock.h"
#include "cuse/service/stop_signals.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

using cuse::detach_mount;
using cuse::find_framebuffer_mount;
using cuse::MountState;
using cuse::probe_mount;
using cuse::run_quietly;

TEST(MountTable, MountOfAnotherTypeIsNotFound) {
  EXPECT_FALSE(find_framebuffer_mount("/proc").has_value());
  EXPECT_FALSE(find_framebuffer_mount("/").has_value());
}

TEST(MountTable, PathWithoutAMountIsNotFound) {
  const unit::TemporaryFolder folder;
  EXPECT_FALSE(find_framebuffer_mount(folder.path()).has_value());
  EXPECT_FALSE(find_framebuffer_mount("/no/such/path").has_value());
  EXPECT_FALSE(find_framebuffer_mount("").has_value());
}

TEST(MountTable, SourceNamesTheDaemon) {
  EXPECT_EQ(cuse::mount_source(4242), "fbemud:4242");
  EXPECT_STREQ(cuse::mount_type, "fuse.fbemu");
}

TEST(MountTable, DetachWithoutAMountFails) {
  const unit::TemporaryFolder folder;
  EXPECT_FALSE(detach_mount(folder.path()).has_value());
}

TEST(RunQuietly, ReturnsTheExitStatus) {
  const char* const good[] = {"true", nullptr};
  const char* const bad[] = {"sh", "-c", "echo noise; exit 7", nullptr};
  EXPECT_EQ(run_quietly(good), 0);
  EXPECT_EQ(run_quietly(bad), 7);
}

TEST(RunQuietly, MissingOrKilledProgramReturnsItsError) {
  const char* const missing[] = {"no-such-program-anywhere", nullptr};
  const char* const killed[] = {"sh", "-c", "kill -KILL $$", nullptr};
  EXPECT_EQ(run_quietly(missing).error().value(), ENOENT);
  EXPECT_EQ(run_quietly(killed).error().value(), ECANCELED);
}

namespace {

constexpr int cannot_mount = 77;

void write_text(const char* path, const std::string& text) {
  const base::UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  static_cast<void>(::write(file.get(), text.data(), text.size()));
}

/// Moves this process to a private mount table, as root there.
bool enter_own_mount_table() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (uid != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
    write_text("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
  } else if (::unshare(CLONE_NEWNS) != 0) {
    return false;
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

/// Mounts as a daemon does. Returns the channel, which nobody serves, or an empty one if mounting is not
/// allowed.
base::UniqueFd mount_silently(const std::string& path, pid_t daemon) {
  base::UniqueFd channel(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!channel) return channel;
  const std::string options = "fd=" + std::to_string(channel.get()) + ",rootmode=100600,user_id=0,group_id=0";
  if (::mount(cuse::mount_source(daemon).c_str(), path.c_str(), cuse::mount_type, MS_NOSUID | MS_NODEV,
              options.c_str()) != 0) {
    channel.reset();
  }
  return channel;
}

/// Mounts as a daemon does and closes the channel, as if the daemon was killed. Returns false if mounting is
/// not allowed.
bool mount_and_die(const std::string& path, pid_t daemon) {
  return static_cast<bool>(mount_silently(path, daemon));
}

/// Runs `check` in a process with a dead mount of daemon 4242 on a file whose name has blanks and a
/// backslash.
class DeadMount : public testing::Test {
 protected:
  void run(const std::function<bool(const std::string& path)>& check) {
    const std::string path = folder.file("fb 0\\\t1");
    std::ofstream(path) << "preempted";
    unit::ChildProcess process([&] {
      if (!enter_own_mount_table() || !mount_and_die(path, 4242)) return cannot_mount;
      return check(path) ? 0 : 1;
    });
    const int status = process.wait();
    if (status == cannot_mount) GTEST_SKIP() << "needs /dev/fuse and a private mount table";
    EXPECT_EQ(status, 0);
  }
  unit::TemporaryFolder folder;
};

}  // namespace

TEST_F(DeadMount, IsFoundWithItsDaemon) {
  run([](const std::string& path) {
    const auto mount = find_framebuffer_mount(path);
    return mount && mount->daemon == 4242 && probe_mount(path, 4242) == MountState::dead;
  });
}

TEST_F(DeadMount, NegativeNumberInSourceNamesNoDaemon) {
  run([this](const std::string&) {
    const std::string other = folder.file("other");
    std::ofstream(other) << "preempted";
    if (!mount_and_die(other, -712)) return false;
    const auto mount = find_framebuffer_mount(other);
    return mount && mount->daemon == 0;
  });
}

TEST_F(DeadMount, CanBeDetached) {
  run([](const std::string& path) {
    return detach_mount(path).has_value() && !find_framebuffer_mount(path) &&
           ::access(path.c_str(), R_OK) == 0;
  });
}

TEST_F(DeadMount, IsFoundWhenTheMountAboveIsDetached) {
  run([](const std::string& path) {
    if (!mount_and_die(path, 4343)) return true;  // the kernel may refuse to mount over a dead mount
    const auto upper = find_framebuffer_mount(path);
    if (!upper || upper->daemon != 4343 || !detach_mount(path)) return false;
    const auto lower = find_framebuffer_mount(path);
    return lower && lower->daemon == 4242;
  });
}

TEST_F(DeadMount, IsMountedForItsDaemonOnly) {
  run([](const std::string& path) {
    return cuse::is_mounted(path, 4242) && !cuse::is_mounted(path, 4243) &&
           !cuse::is_mounted(path + "x", 4242);
  });
}

TEST_F(DeadMount, IsMountedUnderAnotherMount) {
  run([](const std::string& path) {
    if (!mount_and_die(path, 4343)) return true;  // the kernel may refuse to mount over a dead mount
    return cuse::is_mounted(path, 4242) && cuse::is_mounted(path, 4343);
  });
}

TEST_F(DeadMount, IsNotMountedAfterDetach) {
  run([](const std::string& path) {
    return detach_mount(path).has_value() && !cuse::is_mounted(path, 4242);
  });
}

namespace {

/// Runs `check` in a process with a mount whose daemon has the channel open and answers nothing.
class SilentMount : public testing::Test {
 protected:
  void run(const std::function<bool(const std::string& path)>& check) {
    const std::string path = folder.file("fb0");
    std::ofstream(path) << "preempted";
    unit::ChildProcess process([&] {
      if (!enter_own_mount_table()) return cannot_mount;
      const base::UniqueFd channel = mount_silently(path, 4242);
      if (!channel) return cannot_mount;
      ::alarm(60);  // a probe that blocks fails the test
      return check(path) ? 0 : 1;
    });
    const int status = process.wait();
    if (status == cannot_mount) GTEST_SKIP() << "needs /dev/fuse and a private mount table";
    EXPECT_EQ(status, 0);
  }
  unit::TemporaryFolder folder;
};

constexpr std::chrono::milliseconds short_limit{20};

}  // namespace

TEST_F(SilentMount, IsFoundWithoutAccessToTheMount) {
  run([](const std::string& path) {
    const auto mount = find_framebuffer_mount(path);
    return mount && mount->daemon == 4242;
  });
}

TEST_F(SilentMount, ProbeReturnsSilentAtTheLimitAndLeavesNoProcess) {
  run([](const std::string& path) {
    const bool silent = probe_mount(path, 4242, short_limit) == MountState::silent;
    return silent && ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
  });
}

TEST_F(SilentMount, ProbeWithAPendingStopSignalThrowsAndKeepsTheSignal) {
  run([](const std::string& path) {
    const sigset_t signals = cuse::stop_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::raise(SIGINT);
    try {
      static_cast<void>(probe_mount(path, 4242, std::chrono::hours(1)));
    } catch (const cuse::StopRequested& stop) {
      sigset_t pending{};
      ::sigpending(&pending);
      return stop.signal() == SIGINT && sigismember(&pending, SIGINT) == 1;
    }
    return false;
  });
}

TEST_F(SilentMount, LockOnItsPathReturnsEbusyAndTheProcess) {
  run([](const std::string& path) {
    const auto thrown = unit::thrown_by([&] { const cuse::NodeLock lock(path); });
    return thrown.code == EBUSY &&
           thrown.says("(process 4242) is stopped or hangs; continue it (kill -CONT 4242)");
  });
}
