#include "cuse/bin/main_loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cuse/bin/daemon_signals.h"
#include "tests/support/captured_log.h"
#include "tests/support/framebuffer_fixture.h"
#include "tests/support/kernel_double.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

namespace {

using cuse::Command;
using cuse::FuseServer;
using cuse::MainLoop;
using unit::eventually;
using unit::KernelDouble;

/// The daemon's signals, blocked for the thread of the test. Its end restores the previous state.
class DaemonSignals {
 public:
  DaemonSignals() {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
    ::sigaction(SIGPIPE, nullptr, &pipe_);
    descriptor_ = cuse::open_daemon_signals();
  }
  ~DaemonSignals() {
    // A pending signal would end the test when it is no longer blocked.
    while (cuse::take_signal(descriptor_) != 0) {
    }
    ::sigaction(SIGPIPE, &pipe_, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  DaemonSignals(const DaemonSignals&) = delete;
  DaemonSignals& operator=(const DaemonSignals&) = delete;

  [[nodiscard]] const base::UniqueFd& descriptor() const { return descriptor_; }

 private:
  sigset_t mask_{};
  struct sigaction pipe_ {};
  base::UniqueFd descriptor_;
};

/// A double of the mount table's descriptor: the terminal side of a pseudoterminal in packet mode, which has
/// EPOLLPRI from change() to read().
class MountTableDouble {
 public:
  MountTableDouble() : terminal_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    const int on = 1;
    EXPECT_EQ(::grantpt(terminal_.get()), 0);
    EXPECT_EQ(::unlockpt(terminal_.get()), 0);
    EXPECT_EQ(::ioctl(terminal_.get(), TIOCPKT, &on), 0);
    program_.reset(::ioctl(terminal_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_TRUE(program_);
  }
  [[nodiscard]] base::UniqueFd open() const {
    return base::UniqueFd(::fcntl(terminal_.get(), F_DUPFD_CLOEXEC, 0));
  }
  void change() const { EXPECT_EQ(::tcflush(program_.get(), TCOFLUSH), 0); }
  void read() const {
    char status = 0;
    static_cast<void>(::read(terminal_.get(), &status, 1));
  }

 private:
  base::UniqueFd terminal_;
  base::UniqueFd program_;
};

/// A FIFO whose reader ends with this process, at the latest.
class Fifo {
 public:
  explicit Fifo(const std::string& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    in_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  }
  void end_reader() { EXPECT_EQ(::write(in_.get(), "\n", 1), 1); }

 private:
  base::UniqueFd in_;
};

class MainLoopTest : public unit::FramebufferFixture {
 protected:
  ~MainLoopTest() override {
    if (command) command->send(SIGKILL);
    EXPECT_TRUE(!command || eventually([&] { return command->exit_status().has_value(); }));
    stop();
    EXPECT_TRUE(!ioctl_workers || ioctl_workers->stop(unit::timeout));
    EXPECT_TRUE(!server || server->stop(unit::timeout));
  }
  void SetUp() override {
    build();
    ioctl_workers.emplace();
    server.emplace(*framebuffer, cuse::ServedFile{folder.file("fb"), {0, 0, 0660}}, *ioctl_workers,
                   FuseServer::Environment{
                       [this] { return KernelDouble::connect_to(folder.file("channel")); }, unit::timeout});
    environment.open_mount_table = [this] { return table.open(); };
    environment.is_mounted = [this](const std::string& path) {
      EXPECT_EQ(path, "/dev/fb7");
      ++checks;
      table.read();
      return !check_mount || check_mount();
    };
    environment.command_exit_timeout = unit::timeout;
  }

  [[nodiscard]] MainLoop make_loop() {
    return {signals.descriptor(), *server, command ? &*command : nullptr, "/dev/fb7", environment};
  }
  [[nodiscard]] int run() { return make_loop().run(); }

  /// Starts a shell that runs `trap`, and then waits for the FIFO. Its output is not that of the test, whose
  /// reader waits for the end of all writers. Returns when the trap is set.
  void start_command(const std::string& trap) {
    command.emplace(
        std::vector<std::string>{"sh", "-c",
                                 "exec < \"$0\" > /dev/null 2>&1; " + trap + "; : > \"$1\"; read line",
                                 folder.file("fifo"), folder.file("ready")},
        std::vector<std::pair<std::string, std::string>>{});
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder.file("ready")); }));
  }
  void run_to_end(const std::string& script) {
    command.emplace(std::vector<std::string>{"sh", "-c", "exec < /dev/null > /dev/null 2>&1; " + script},
                    std::vector<std::pair<std::string, std::string>>{});
  }

  DaemonSignals signals;  // before there are threads
  unit::CapturedLog log;
  unit::TemporaryFolder folder;
  Fifo fifo{folder.file("fifo")};
  MountTableDouble table;
  KernelDouble kernel{folder.file("channel")};
  int checks = 0;
  std::function<bool()> check_mount;
  MainLoop::Environment environment;
  std::optional<cuse::IoctlWorkers> ioctl_workers;
  std::optional<FuseServer> server;
  std::optional<Command> command;
};

class MainLoopSignalTest : public MainLoopTest, public testing::WithParamInterface<int> {};

TEST_P(MainLoopSignalTest, SignalWithoutACommandEndsTheLoopWithSuccess) {
  ::raise(GetParam());
  EXPECT_EQ(run(), EXIT_SUCCESS);
}

TEST_P(MainLoopSignalTest, SignalIsPassedToTheCommandWhoseEndIsAwaited) {
  start_command("trap 'exit 5' HUP INT TERM");
  ::raise(GetParam());
  EXPECT_EQ(run(), 128 + GetParam());
  EXPECT_EQ(command->exit_status(), 5);
}

INSTANTIATE_TEST_SUITE_P(OfTheEnd, MainLoopSignalTest, testing::Values(SIGHUP, SIGINT, SIGTERM));

TEST_F(MainLoopTest, CommandThatIgnoresTheSignalIsLeftAfterTheTimeout) {
  environment.command_exit_timeout = std::chrono::milliseconds(1);
  start_command("trap '' TERM");
  ::raise(SIGTERM);
  EXPECT_EQ(run(), 128 + SIGTERM);
  EXPECT_FALSE(command->exit_status().has_value());
  fifo.end_reader();
  EXPECT_TRUE(eventually([&] { return command->exit_status().has_value(); }));
  EXPECT_EQ(command->exit_status(), 0);
}

TEST_F(MainLoopTest, EndOfTheCommandEndsTheLoopWithItsStatus) {
  run_to_end("exit 37");
  EXPECT_EQ(run(), 37);
}

TEST_F(MainLoopTest, CommandEndedBySignalNHasStatus128PlusN) {
  run_to_end("kill -KILL $$");
  EXPECT_EQ(run(), 128 + SIGKILL);
}

TEST_F(MainLoopTest, CommandThatCannotBeRunEndsTheLoop) {
  command.emplace(std::vector<std::string>{"no-such-program-anywhere"},
                  std::vector<std::pair<std::string, std::string>>{});
  EXPECT_EQ(run(), 127);
}

TEST_F(MainLoopTest, EndOfAnotherChildDoesNotEndTheLoop) {
  start_command("trap '' TERM");
  ::raise(SIGCHLD);
  // The second check is after the signal. Then the command ends.
  check_mount = [this] {
    if (checks == 1) {
      table.change();
    } else {
      fifo.end_reader();
    }
    return true;
  };
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(checks, 2);
}

TEST_F(MainLoopTest, MissingMountAtTheStartEndsTheLoopWithFailure) {
  check_mount = [] { return false; };
  EXPECT_EQ(run(), EXIT_FAILURE);
  EXPECT_EQ(log.count("error: the mount on /dev/fb7 was detached by another process"), 1);
}

TEST_F(MainLoopTest, DetachedMountEndsTheLoopWithFailureAndOtherChangesDoNot) {
  check_mount = [this] {
    if (checks < 3) table.change();
    return checks < 3;
  };
  EXPECT_EQ(run(), EXIT_FAILURE);
  EXPECT_EQ(checks, 3);
  EXPECT_EQ(log.count("error: the mount on /dev/fb7 was detached by another process"), 1);
}

TEST_F(MainLoopTest, EndOfTheSessionEndsTheLoopWithFailureAndItsCause) {
  server->start();
  kernel.accept();
  EXPECT_EQ(kernel.ask(FUSE_INIT, KernelDouble::init_request()).error, 0);
  kernel.close();
  EXPECT_EQ(run(), EXIT_FAILURE);
  EXPECT_EQ(log.count("error: the connection to the kernel for /dev/fb7 failed: Input/output error"), 1);
}

std::vector<int> epoll_sets() {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry, error) == "anon_inode:[eventpoll]") {
      found.push_back(std::stoi(entry.path().filename()));
    }
  }
  return found;
}

TEST_F(MainLoopTest, FailedWaitThrowsInPlaceOfABusyLoop) {
  const std::vector<int> before = epoll_sets();
  MainLoop loop = make_loop();
  std::vector<int> made = epoll_sets();
  std::erase_if(made, [&](int descriptor) { return std::ranges::find(before, descriptor) != before.end(); });
  ASSERT_EQ(made.size(), 1U);
  const base::UniqueFd no_epoll(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::dup3(no_epoll.get(), made.front(), O_CLOEXEC), made.front());
  const auto thrown = unit::thrown_by([&] { static_cast<void>(loop.run()); });
  EXPECT_EQ(thrown.code, EINVAL);
  EXPECT_TRUE(thrown.says("the main thread cannot wait for signals")) << thrown.what;
}

TEST_F(MainLoopTest, MountTableThatCannotBeWatchedIsThrown) {
  environment.open_mount_table = [] { return base::UniqueFd(); };
  EXPECT_EQ(unit::thrown_by([&] { static_cast<void>(run()); }).code, EBADF);
}

TEST(MainLoopEnvironmentTest, KernelsMountTableCanBeWatched) {
  const MainLoop::Environment kernel = MainLoop::kernel();
  const base::Epoll epoll;
  const base::UniqueFd table = kernel.open_mount_table();
  EXPECT_TRUE(epoll.try_watch(table.get(), EPOLLPRI).has_value());
  EXPECT_FALSE(kernel.is_mounted("/"));
}

}  // namespace
