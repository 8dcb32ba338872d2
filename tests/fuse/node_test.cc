// The device's path before the start and after the end.

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "daemon.h"
#include "device_file.h"

namespace fuse_test {
namespace {

class NodeTest : public DaemonTest {};

TEST_F(NodeTest, PlainFileIsCoveredAndRestored) {
  write_file(file("fb"), "what was here before");
  ASSERT_EQ(::chmod(file("fb").c_str(), 0640), 0);
  Daemon& daemon = start();
  struct stat status {};
  ASSERT_EQ(::stat(file("fb").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U) << "the permissions are those of the covered file";
  EXPECT_EQ(status.st_size, 640 * 480 * 4 * 2);
  daemon.end();
  EXPECT_EQ(read_file(file("fb")), "what was here before");
}

TEST_F(NodeTest, CharacterDeviceIsCoveredAndRestored) {
  ASSERT_EQ(::mknod(file("fb").c_str(), S_IFCHR | 0660, makedev(29, 31)), 0);
  Daemon& daemon = start();
  {
    const DeviceFile device(daemon.device());
    EXPECT_EQ(device.var().xres, 640U);
    const DeviceMap map(device);
    map[0] = 0x00ff00;
  }
  EXPECT_EQ(daemon.screenshot().at(0, 0), 0x00ff00U);
  daemon.end();
  struct stat status {};
  ASSERT_EQ(::lstat(file("fb").c_str(), &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  EXPECT_EQ(status.st_rdev, makedev(29, 31));
}

TEST_F(NodeTest, SymbolicLinkIsFollowed) {
  write_file(file("target"), "");
  ASSERT_EQ(::symlink(file("target").c_str(), file("fb").c_str()), 0);
  Daemon& daemon = start();
  EXPECT_EQ(daemon.status().at("device"), file("target"));
  const DeviceFile device(file("fb"));
  EXPECT_EQ(device.var().xres, 640U);
}

TEST_F(NodeTest, LinkOfOtherUserInSharedFolderIsRefused) {
  constexpr uid_t nobody = 65'534;
  write_file(file("target"), "precious");
  ASSERT_TRUE(std::filesystem::create_directory(file("shared")));
  ASSERT_EQ(::chmod(file("shared").c_str(), 01777), 0);
  ASSERT_EQ(::symlink(file("target").c_str(), file("shared/fb").c_str()), 0);
  ASSERT_EQ(::lchown(file("shared/fb").c_str(), nobody, nobody), 0);
  const Ended ended = run({FBEMUD_PATH, "--device", file("shared/fb"), "--card", "headless", "--", "true"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find(file("shared/fb") + " belongs to user 65534"), std::string::npos)
      << ended.errors;
  EXPECT_EQ(read_file(file("target")), "precious");
}

TEST_F(NodeTest, PathWithSpecialCharactersIsServed) {
  Daemon& daemon = start({.device = file("a fb,\\ \xc3\xa4")});
  const DeviceFile device(daemon.device());
  EXPECT_EQ(device.var().xres, 640U);
}

TEST_F(NodeTest, DefaultControlSocketIsNamedAfterDevice) {
  Daemon& daemon = start({.default_control = true});
  EXPECT_EQ(daemon.status().at("device"), daemon.device());
}

TEST_F(NodeTest, DaemonsServeDifferentDevices) {
  Daemon& one = start({.device = file("fb0"), .card = "headless:320x240"});
  Daemon& two = start({.device = file("fb1"), .card = "headless:400x300"});
  const DeviceFile first(one.device());
  const DeviceFile second(two.device());
  EXPECT_EQ(first.var().xres, 320U);
  EXPECT_EQ(second.var().xres, 400U);
  one.end();
  EXPECT_EQ(second.var().xres, 400U);
}

TEST_F(NodeTest, PathCanBeServedAgainAtOnce) {
  for (int i = 0; i < 10; ++i) start().end();
}

}  // namespace
}  // namespace fuse_test
