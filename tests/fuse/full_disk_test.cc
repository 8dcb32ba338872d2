// Full file systems.

#include <filesystem>
#include <memory>

#include "daemon.h"
#include "device_file.h"
#include "private_mounts.h"
#include "program.h"

namespace fuse_test {
namespace {

class FullDiskTest : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    if (IsSkipped()) return;
    mounts_ = std::make_unique<PrivateMounts>();
    if (!mounts_->entered()) GTEST_SKIP() << "this test needs a private mount namespace";
    std::filesystem::create_directory(file("disk"));
  }
  void TearDown() override {
    end_daemons();
    mounts_.reset();
    DaemonTest::TearDown();
  }
  static size_t files_in(const std::string& folder) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
  /// Fills a file system completely.
  static void fill(const std::string& folder) {
    static_cast<void>(run({"dd", "if=/dev/zero", "of=" + folder + "/filling", "bs=4096"}));
  }

 private:
  std::unique_ptr<PrivateMounts> mounts_;
};

TEST_F(FullDiskTest, DeviceWithoutInodeFailsStart) {
  ASSERT_TRUE(cover_with_tmpfs(file("disk"), "size=64k,nr_inodes=1"));
  const Unmounting unmounting(file("disk"));
  const Ended ended = run({FBEMUD_PATH, "--device", file("disk/fb"), "--card", "headless"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find("cannot make the device " + file("disk/fb")), std::string::npos)
      << ended.errors;
  EXPECT_NE(ended.errors.find("No space left on device"), std::string::npos) << ended.errors;
  EXPECT_EQ(files_in(file("disk")), 0U);
}

TEST_F(FullDiskTest, DeviceNeedsNoSpace) {
  ASSERT_TRUE(cover_with_tmpfs(file("disk"), "size=64k"));
  const Unmounting unmounting(file("disk"));
  fill(file("disk"));
  Daemon& daemon = start({.device = file("disk/fb")});
  {
    Program program(daemon.device(), open_and_map);
    EXPECT_EQ(program.ask("picture 1"), "ok");
    EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 1)));
  }
  daemon.end();
}

TEST_F(FullDiskTest, LockWithoutSpaceFailsStart) {
  const auto ended_with_run = [&](const std::string& options, bool full) {
    return run({FBEMUD_PATH, "--device", file("fb"), "--card", "headless"}, {.prepare = [=] {
                 if (!leave_mount_namespace() || !cover_with_tmpfs("/run", options)) return false;
                 if (full) fill("/run");
                 return true;
               }});
  };
  const Ended no_folder = ended_with_run("size=64k,nr_inodes=1", false);
  EXPECT_EQ(no_folder.exit_status, 1);
  EXPECT_NE(no_folder.errors.find("cannot make the folder /run/fbemu"), std::string::npos)
      << no_folder.errors;
  const Ended no_lock = ended_with_run("size=64k", true);
  EXPECT_EQ(no_lock.exit_status, 1);
  EXPECT_NE(no_lock.errors.find("cannot write the lock file"), std::string::npos) << no_lock.errors;
  EXPECT_NE(no_lock.errors.find("No space left on device"), std::string::npos) << no_lock.errors;
  EXPECT_FALSE(std::filesystem::exists(file("fb")));
}

TEST_F(FullDiskTest, ScreenshotWithoutSpaceLeavesNoFile) {
  ASSERT_TRUE(cover_with_tmpfs(file("disk"), "size=4k"));
  const Unmounting unmounting(file("disk"));
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 1"), "ok");
  const Ended ended =
      run({FBEMUCTL_PATH, "--control", daemon.control(), "screenshot", file("disk/shot.png")});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find(file("disk/shot.png")), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("No space left on device"), std::string::npos) << ended.errors;
  EXPECT_EQ(files_in(file("disk")), 0U);
}

TEST_F(FullDiskTest, FailedScreenshotKeepsPreviousFile) {
  ASSERT_TRUE(cover_with_tmpfs(file("disk"), "size=4k"));
  const Unmounting unmounting(file("disk"));
  Daemon& daemon = start();
  write_file(file("disk/shot.png"), "the one before");
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 1"), "ok");
  EXPECT_EQ(
      run({FBEMUCTL_PATH, "--control", daemon.control(), "screenshot", file("disk/shot.png")}).exit_status,
      1);
  EXPECT_TRUE(read_file(file("disk/shot.png")) == "the one before");
  EXPECT_EQ(files_in(file("disk")), 1U);
}

TEST_F(FullDiskTest, ScreenshotToFullOutputFails) {
  Daemon& daemon = start();
  const Ended ended =
      run({FBEMUCTL_PATH, "--control", daemon.control(), "screenshot", "-"}, {.output_file = "/dev/full"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find("No space left on device"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace fuse_test
