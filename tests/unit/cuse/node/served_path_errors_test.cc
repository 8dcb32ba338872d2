#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cuse/control/control_server.h"
#include "cuse/service/runtime_files.h"
#include "tests/support/node_fixture.h"
#include "tests/support/thrown.h"
#include "tests/support/unprivileged_user.h"

using unit::TakenPath;
using unit::Thrown;

namespace {

class NodeErrors : public unit::NodeFixture {
 protected:
  static Thrown take(const std::string& path) {
    return unit::thrown_by([&] { const TakenPath node(path); });
  }
  /// Returns true if the lock file of `path` exists.
  static bool is_locked(const std::string& path) {
    return exists(cuse::runtime_directory() + "/" + cuse::runtime_name(path) + ".lock");
  }
};

}  // namespace

TEST_F(NodeErrors, MissingFolderReturnsEnoentAndItsPath) {
  const auto thrown = take(folder.file("missing/fb0"));
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says("the folder " + folder.file("missing"))) << thrown.what;
}

TEST_F(NodeErrors, FileInPlaceOfTheFolderReturnsEnotdir) {
  make_file(folder.file("file"));
  const auto thrown = take(folder.file("file/fb0"));
  EXPECT_EQ(thrown.code, ENOTDIR);
  EXPECT_TRUE(thrown.says(folder.file("file"))) << thrown.what;
}

TEST_F(NodeErrors, FolderReturnsEisdir) {
  std::filesystem::create_directory(device);
  const auto thrown = take(device);
  EXPECT_EQ(thrown.code, EISDIR);
  EXPECT_TRUE(thrown.says("the device " + device + " is a folder")) << thrown.what;
  EXPECT_FALSE(is_locked(device));
}

TEST_F(NodeErrors, PathThatCanOnlyBeAFolderReturnsEisdir) {
  for (const std::string& path : {folder.path() + "/", folder.path() + "/.", folder.path() + "/..",
                                  std::string("/"), std::string("."), std::string()}) {
    EXPECT_EQ(take(path).code, EISDIR) << path;
  }
}

TEST_F(NodeErrors, FifoReturnsEinval) {
  ASSERT_EQ(::mkfifo(device.c_str(), 0600), 0);
  const auto thrown = take(device);
  EXPECT_EQ(thrown.code, EINVAL);
  EXPECT_TRUE(thrown.says("neither a character device nor a plain file")) << thrown.what;
  EXPECT_TRUE(exists(device));
  EXPECT_FALSE(is_locked(device));
}

TEST_F(NodeErrors, SocketReturnsEinval) {
  const cuse::ControlServer server(device, [](const std::string&) { return cuse::ControlReply{}; });
  EXPECT_EQ(take(device).code, EINVAL);
}

TEST_F(NodeErrors, DanglingLinkReturnsEnoent) {
  std::filesystem::create_symlink("nothing", device);
  const auto thrown = take(device);
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says(device + " is a symbolic link that leads nowhere")) << thrown.what;
  EXPECT_FALSE(is_locked(device));
}

TEST_F(NodeErrors, LinkToItselfReturnsEloop) {
  std::filesystem::create_symlink("fb0", device);
  EXPECT_EQ(take(device).code, ELOOP);
}

TEST_F(NodeErrors, LinkToAFolderReturnsEisdir) {
  std::filesystem::create_directory(folder.file("inside"));
  std::filesystem::create_symlink("inside", device);
  EXPECT_EQ(take(device).code, EISDIR);
}

TEST_F(NodeErrors, ClosedFolderReturnsEaccesAndAHint) {
  const unit::UnprivilegedUser user;  // permissions do not stop root
  const unit::TemporaryFolder closed;
  const unit::TemporaryFolder locks;
  const unit::Environment variable("XDG_RUNTIME_DIR", locks.path());
  ASSERT_EQ(::chmod(closed.path().c_str(), 0500), 0);
  const auto thrown = take(closed.file("fb0"));
  EXPECT_EQ(thrown.code, EACCES);
  EXPECT_TRUE(thrown.says("name a --device in a folder of yours")) << thrown.what;
}

TEST_F(NodeErrors, PathIsFreeAfterAnError) {
  std::filesystem::create_directory(device);
  ASSERT_EQ(take(device).code, EISDIR);
  std::filesystem::remove(device);
  EXPECT_EQ(take(device).what, "");
}
