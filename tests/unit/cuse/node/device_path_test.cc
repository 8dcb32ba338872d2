// Paths of a device that root follows, and paths that another user could redirect.

#include "cuse/node/device_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/node_fixture.h"
#include "tests/support/other_user.h"
#include "tests/support/thrown.h"

using cuse::resolve_device;
using unit::other_user;
using unit::TakenPath;
using unit::Thrown;

namespace {

/// `folder` is root's; `shared` in it is as /tmp is.
class DevicePathTest : public unit::NodeFixture {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, for whom the rule is, and who can give files away";
    std::filesystem::create_directory(shared);
    ASSERT_EQ(::chmod(shared.c_str(), 01777), 0);
  }
  static void give_away(const std::string& path) {
    ASSERT_EQ(::lchown(path.c_str(), other_user, other_user), 0) << path;
  }
  static Thrown take(const std::string& path) {
    return unit::thrown_by([&] { const TakenPath node(path); });
  }
  /// Expects that taking `path` fails with a text that names the path `named`, its owner and a remedy.
  static void expect_refused(const std::string& path, const std::string& named) {
    const Thrown thrown = take(path);
    EXPECT_EQ(thrown.code, EPERM);
    EXPECT_TRUE(thrown.says(named + " belongs to user 65534")) << thrown.what;
    EXPECT_TRUE(thrown.says("name a --device in folders that only root can write to")) << thrown.what;
  }

  std::string shared = folder.file("shared");
};

}  // namespace

TEST_F(DevicePathTest, LinkOfAnotherUserInAStickyFolderReturnsEperm) {
  make_file(folder.file("target"));
  std::filesystem::create_symlink(folder.file("target"), shared + "/fb0");
  give_away(shared + "/fb0");
  expect_refused(shared + "/fb0", shared + "/fb0");
}

TEST_F(DevicePathTest, FileOfAnotherUserInAStickyFolderReturnsEperm) {
  make_file(shared + "/fb0");
  give_away(shared + "/fb0");
  expect_refused(shared + "/fb0", shared + "/fb0");
}

TEST_F(DevicePathTest, FolderOfAnotherUserInAStickyFolderReturnsEperm) {
  std::filesystem::create_directory(shared + "/mine");
  give_away(shared + "/mine");
  expect_refused(shared + "/mine/fb0", shared + "/mine");
}

TEST_F(DevicePathTest, FolderOfAnotherUserReturnsEperm) {
  std::filesystem::create_directory(folder.file("home"));
  give_away(folder.file("home"));
  expect_refused(folder.file("home/fb0"), "the folder " + folder.file("home"));
}

TEST_F(DevicePathTest, FolderOfAnotherUserOnThePathReturnsEperm) {
  std::filesystem::create_directories(folder.file("home/inside"));
  give_away(folder.file("home"));
  expect_refused(folder.file("home/inside/fb0"), "the folder " + folder.file("home"));
}

TEST_F(DevicePathTest, FolderOfAnotherUserBehindALinkReturnsEperm) {
  std::filesystem::create_directory(folder.file("home"));
  make_file(folder.file("home/fb0"));
  give_away(folder.file("home"));
  std::filesystem::create_symlink("home/fb0", device);
  expect_refused(device, "the folder " + folder.file("home"));
}

TEST_F(DevicePathTest, SecondNameOfAFileInAStickyFolderReturnsEperm) {
  make_file(folder.file("secret"));
  std::filesystem::create_hard_link(folder.file("secret"), shared + "/fb0");
  const Thrown thrown = take(shared + "/fb0");
  EXPECT_EQ(thrown.code, EPERM);
  EXPECT_TRUE(thrown.says(shared + "/fb0 is a second name of a file")) << thrown.what;
}

TEST_F(DevicePathTest, SharedFolderWithoutStickyBitReturnsEperm) {
  for (const mode_t mode : {0777U, 0775U}) {
    ASSERT_EQ(::chown(shared.c_str(), 0, other_user), 0);
    ASSERT_EQ(::chmod(shared.c_str(), mode), 0);
    const Thrown thrown = take(shared + "/fb0");
    EXPECT_EQ(thrown.code, EPERM);
    EXPECT_TRUE(thrown.says("chmod go-w " + shared)) << thrown.what;
    EXPECT_FALSE(exists(shared + "/fb0"));
  }
}

TEST_F(DevicePathTest, NewFileInAStickyFolderIsMade) {
  EXPECT_TRUE(TakenPath(shared + "/fb0").created());
}

TEST_F(DevicePathTest, FileAndLinkOfRootInAStickyFolderAreServed) {
  make_file(shared + "/file");
  std::filesystem::create_symlink("file", shared + "/fb0");
  EXPECT_EQ(TakenPath(shared + "/fb0").path(), shared + "/file");
}

TEST_F(DevicePathTest, LinkOfRootInAFolderOfRootIsFollowed) {
  make_file(folder.file("fb1"));
  std::filesystem::create_symlink("fb1", folder.file("link"));
  std::filesystem::create_symlink(folder.file("link"), device);
  EXPECT_EQ(TakenPath(device).path(), folder.file("fb1"));
}

TEST_F(DevicePathTest, FileOfAUserInAFolderOfRootKeepsItsOwner) {
  make_file(device);
  give_away(device);
  EXPECT_EQ(TakenPath(device).uid(), other_user);
}

TEST_F(DevicePathTest, ParentFoldersInThePathAreFollowed) {
  std::filesystem::create_directories(folder.file("a/b"));
  std::filesystem::create_symlink("a/b", folder.file("link"));
  EXPECT_EQ(resolve_device(folder.file("link/../fb0")).path, folder.file("a/fb0"));
  EXPECT_EQ(resolve_device("/../" + folder.path() + "//./fb0").path, device);
}

TEST_F(DevicePathTest, CheckedFileStaysOpenWhenAnotherTakesItsName) {
  make_file(device);
  struct stat checked {};
  ASSERT_EQ(::stat(device.c_str(), &checked), 0);
  cuse::NodeLock lock(device);
  const cuse::ServedPath node(lock);
  make_file(folder.file("other"));
  std::filesystem::rename(folder.file("other"), device);
  struct stat held {};
  ASSERT_EQ(::fstat(node.descriptor(), &held), 0);
  EXPECT_EQ(held.st_ino, checked.st_ino);
}

TEST_F(DevicePathTest, LinkOfAnotherUserInAStickyFolderReturnsEpermForAUser) {
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  std::filesystem::create_symlink("file", shared + "/fb0");
  ASSERT_EQ(::lchown((shared + "/fb0").c_str(), other_user - 1, other_user), 0);
  unit::ChildProcess user([&] {
    if (!unit::become_other_user()) return 2;
    return unit::thrown_by([&] { static_cast<void>(resolve_device(shared + "/fb0")); }).code == EPERM ? 0 : 1;
  });
  EXPECT_EQ(user.wait(), 0);
}

TEST_F(DevicePathTest, SharedFolderIsAllowedForAUser) {
  const std::string home = folder.file("home");
  std::filesystem::create_directory(home);
  ASSERT_EQ(::chmod(home.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  unit::ChildProcess user([&] {
    if (!unit::become_other_user()) return 2;
    return resolve_device(home + "/fb0").path == home + "/fb0" ? 0 : 1;
  });
  EXPECT_EQ(user.wait(), 0);
}
