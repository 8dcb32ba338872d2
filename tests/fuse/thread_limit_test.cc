// A daemon that may start no further threads because of RLIMIT_NPROC, which limits only unprivileged users.

#include <sys/resource.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "program.h"
#include "sanitizer_reports.h"
#include "tests/support/eventually.h"
#include "user_fixture.h"

namespace fuse_test {
namespace {

class ThreadLimitTest : public UserTest {
 protected:
  /// Sets the daemon's limit of processes and threads of its user. prlimit(1) runs as that user, because for
  /// another user it needs CAP_SYS_RESOURCE, which root may lack in a container.
  void limit_threads(Daemon& daemon, const std::string& most) {
    const Ended ended =
        run({"prlimit", "--pid", std::to_string(daemon.process().id()), "--nproc=" + most + ":"}, as_user());
    ASSERT_EQ(ended.exit_status, 0) << ended.errors;
  }
  [[nodiscard]] static std::string highest_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    return limit.rlim_max == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_max);
  }
  /// Returns true if a process of the user still runs, or has not been reaped. It counts against the limit.
  [[nodiscard]] static bool user_has_processes() {
    const std::string uid = "Uid:\t" + std::to_string(user) + "\t";
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      if (std::isdigit(static_cast<unsigned char>(entry.path().filename().string().front())) == 0) continue;
      std::ifstream status(entry.path() / "status");
      const std::string text{std::istreambuf_iterator<char>(status), {}};
      if (text.find(uid) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(ThreadLimitTest, IoctlsAreAnsweredWithoutFurtherThreads) {
  Daemon& daemon = start(daemon_of_user());
  daemon.expect_warnings();
  limit_threads(daemon, "1");
  std::vector<std::unique_ptr<Process>> programs;
  for (int i = 0; i < 5; ++i) {
    programs.push_back(std::make_unique<Process>(
        std::vector<std::string>{home() + "/fbprogram", daemon.device()}, as_user()));
    programs.back()->send("open rw\nmap rw smem\npicture 1\nvsyncs 10\nsync\n");
  }
  for (const auto& program : programs) {
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(program->read_line().value_or("").substr(0, 2), "ok") << daemon.log();
  }
  EXPECT_TRUE(daemon.process().running()) << daemon.log();
  EXPECT_NE(daemon.log().find("cannot start a further thread \"program\""), std::string::npos)
      << daemon.log();
  // The end needs a process for fusermount3.
  limit_threads(daemon, highest_limit());
}

TEST_F(ThreadLimitTest, StartWithTooFewThreadsNamesMissingThread) {
  std::string errors;
  bool started = false;
  for (rlim_t most = 1; !started && most < 200; ++most) {
    // The guard of the daemon before may still run.
    ASSERT_TRUE(unit::eventually([] { return !user_has_processes(); }))
        << "the user " << user << " has processes";
    ProcessOptions options = as_user();
    // LeakSanitizer checks in a thread of its own, which the limit forbids.
    options.environment.merge(without_leak_check().environment);
    options.prepare = [most] {
      const rlimit limit{most, most};
      return ::setrlimit(RLIMIT_NPROC, &limit) == 0 && become_user();
    };
    const Ended ended =
        run({home() + "/fbemud", "--device", home() + "/fb", "--card", "headless:64x64", "--", "/bin/true"},
            options);
    started = ended.exit_status == 0;
    // The limit was exceeded at exec(2): nothing ran.
    constexpr int cannot_run = 127;
    if (ended.errors.empty() || ended.exit_status == cannot_run) continue;
    // 126: the daemon started, but the command could not be started.
    EXPECT_TRUE(started || ended.exit_status == 1 || ended.exit_status == 126)
        << ended.exit_status << " with " << most << ": " << ended.errors;
    errors += ended.errors;
  }
  EXPECT_TRUE(started);
  EXPECT_NE(errors.find("cannot start the thread for the ioctls of programs"), std::string::npos) << errors;
  EXPECT_NE(errors.find("cannot start the thread for the requests for " + home() + "/fb"), std::string::npos)
      << errors;
}

}  // namespace
}  // namespace fuse_test
