#pragma once

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "daemon.h"
#include "private_mounts.h"

namespace fuse_test {

/// The user "backup", who exists on every Debian and has no processes in other tests.
inline constexpr uid_t user = 34;

inline bool become_user() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
         ::setresuid(user, user, user) == 0 && ::chdir("/") == 0;
}

/// fbemud and its programs as an unprivileged user. These tests take turns, also with those of other builds,
/// because the limit of processes counts all processes of a user.
class UserTest : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    if (IsSkipped()) return;
    turn_.reset(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::flock(turn_.get(), LOCK_EX), 0);
    if (!is_installed("fusermount3")) GTEST_SKIP() << "this test needs fusermount3 (package fuse3)";
    home_ = file("home");
    std::filesystem::create_directory(home_);
    std::filesystem::create_directory(home_ + "/run");
    // Other users may have no access to the build folder.
    for (const std::string program : {FBEMUD_PATH, FBEMUCTL_PATH, FBPROGRAM_PATH}) {
      const std::string copy = home_ + program.substr(program.rfind('/'));
      std::filesystem::copy_file(program, copy);
      ::chmod(copy.c_str(), 0755);
    }
    for (const std::string& path : {home_, home_ + "/run"}) ASSERT_EQ(::chown(path.c_str(), user, user), 0);
    ::chmod((home_ + "/run").c_str(), 0700);
    if (!open_dev_fuse())
      GTEST_SKIP() << "this test needs a /dev/fuse that everyone may open, or a mount namespace to make one";
  }
  void TearDown() override {
    if (!home_.empty()) {
      end_daemons();
      EXPECT_TRUE(std::filesystem::is_empty(home_ + "/run") ||
                  std::filesystem::is_empty(home_ + "/run/fbemu"));
      mounts_.reset();
    }
    DaemonTest::TearDown();
    turn_.reset();
  }
  [[nodiscard]] ProcessOptions as_user() const {
    return {.environment = {{"XDG_RUNTIME_DIR", home_ + "/run"}, {"HOME", home_}}, .prepare = &become_user};
  }
  [[nodiscard]] DaemonOptions daemon_of_user() const {
    return {.program = home_ + "/fbemud", .device = home_ + "/fb", .process = as_user()};
  }
  [[nodiscard]] const std::string& home() const { return home_; }

 private:
  /// Makes /dev/fuse accessible to everyone, as on most distributions. If it is not, a copy covers it for
  /// this process.
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

  base::UniqueFd turn_;  ///< the file whose lock is the turn
  std::string home_;
  std::unique_ptr<PrivateMounts> mounts_;
};

}  // namespace fuse_test
