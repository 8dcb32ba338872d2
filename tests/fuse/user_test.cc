// Without root: through fusermount3, for programs of the same user.

#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "daemon.h"
#include "private_mounts.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr uid_t user = 65'534;

bool become_user() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
         ::setresuid(user, user, user) == 0 && ::chdir("/") == 0;
}

class UserTest : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    if (IsSkipped()) return;
    if (!is_installed("fusermount3")) GTEST_SKIP() << "this needs fusermount3 (package fuse3)";
    home_ = file("home");
    std::filesystem::create_directory(home_);
    std::filesystem::create_directory(home_ + "/run");
    // Where the build is may be closed to others.
    for (const std::string program : {FBEMUD_PATH, FBEMUCTL_PATH, FBPROGRAM_PATH}) {
      const std::string copy = home_ + program.substr(program.rfind('/'));
      std::filesystem::copy_file(program, copy);
      ::chmod(copy.c_str(), 0755);
    }
    for (const std::string& path : {home_, home_ + "/run"}) ASSERT_EQ(::chown(path.c_str(), user, user), 0);
    ::chmod((home_ + "/run").c_str(), 0700);
    if (!open_dev_fuse())
      GTEST_SKIP() << "this needs a /dev/fuse that everyone may open, or a mount namespace to make one";
  }
  void TearDown() override {
    if (!home_.empty()) {
      end_daemons();
      EXPECT_TRUE(std::filesystem::is_empty(home_ + "/run") ||
                  std::filesystem::is_empty(home_ + "/run/fbemu"));
      mounts_.reset();
    }
    DaemonTest::TearDown();
  }
  [[nodiscard]] ProcessOptions as_user() const {
    return {.environment = {{"XDG_RUNTIME_DIR", home_ + "/run"}, {"HOME", home_}}, .prepare = &become_user};
  }
  [[nodiscard]] DaemonOptions daemon_of_user() const {
    return {.program = home_ + "/fbemud", .device = home_ + "/fb", .process = as_user()};
  }
  [[nodiscard]] const std::string& home() const { return home_; }

 private:
  /// Distributions let everyone open it; where it is closed, an open one covers it for this process.
  bool open_dev_fuse() {
    constexpr mode_t for_everyone = 0666;
    struct stat status {};
    if (::stat("/dev/fuse", &status) == 0 && (status.st_mode & for_everyone) == for_everyone) return true;
    const std::string cover = file("dev");
    std::filesystem::create_directory(cover);
    mounts_ = std::make_unique<PrivateMounts>();
    if (!mounts_->entered() || !cover_with_tmpfs(cover, "size=16k")) return false;
    return ::mknod((cover + "/fuse").c_str(), S_IFCHR, makedev(10, 229)) == 0 &&
           ::chmod((cover + "/fuse").c_str(), for_everyone) == 0 && cover_with(cover + "/fuse", "/dev/fuse");
  }

  std::string home_;
  std::unique_ptr<PrivateMounts> mounts_;
};

TEST_F(UserTest, DrawsAndTakesAScreenshot) {
  Daemon& daemon = start(daemon_of_user());
  const Ended drawn =
      run({home() + "/fbprogram", daemon.device(), "open rw", "map rw smem", "picture 1"}, as_user());
  EXPECT_EQ(drawn.exit_status, 0) << drawn.output << drawn.errors;
  const Ended shot = run(
      {home() + "/fbemuctl", "--control", daemon.control(), "screenshot", home() + "/shot.png"}, as_user());
  EXPECT_EQ(shot.exit_status, 0) << shot.errors;
  EXPECT_TRUE(same(read_png(home() + "/shot.png"), drawn_picture(640, 480, 1)));
}

TEST_F(UserTest, TheSocketIsFoundInTheUsersFolder) {
  DaemonOptions options = daemon_of_user();
  options.command = {home() + "/fbemuctl", "status"};
  Daemon& daemon = try_to_start(options);
  EXPECT_TRUE(daemon.process().wait());
  EXPECT_NE(daemon.process().output().find(home() + "/fb"), std::string::npos) << daemon.process().output();
}

TEST_F(UserTest, EndsWithAProgramAttached) {
  Daemon& daemon = start(daemon_of_user());
  ProcessOptions options = as_user();
  Process program({home() + "/fbprogram", daemon.device()}, options);
  program.send("open rw\nmap rw smem\nanimate 1\n");
  for (const char* answer : {"ok", "ok", "ok drawing"}) ASSERT_EQ(program.read_line(), answer);
  daemon.end();
  program.signal(SIGKILL);
  EXPECT_TRUE(program.wait());
}

TEST_F(UserTest, TheGuardCleansUpAfterAKilledDaemon) {
  Daemon& daemon = start(daemon_of_user());
  daemon.expect_exit_status(128 + SIGKILL);
  daemon.end(SIGKILL);
}

TEST_F(UserTest, WithTheGuardKilledTooTheNextStartReplacesTheStaleMount) {
  Daemon& first = start(daemon_of_user());
  first.expect_exit_status(128 + SIGKILL);
  first.expect_leftovers();
  ASSERT_EQ(::kill(first.guard(), SIGKILL), 0);
  first.end(SIGKILL);
  Daemon& second = start(daemon_of_user());
  second.expect_device_afterwards(false);
  EXPECT_EQ(mounts_with(second.device()).size(), 1U);
}

TEST_F(UserTest, ADeviceOfRootIsRefusedWithAHint) {
  const Ended ended = run({home() + "/fbemud", "--device", file("fb"), "--card", "headless"}, as_user());
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find(file("fb")), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("folder of yours"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace fuse_test
