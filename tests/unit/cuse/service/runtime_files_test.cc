#include "cuse/service/runtime_files.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

#include "tests/support/environment.h"
#include "tests/support/other_user.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"
#include "tests/support/unprivileged_user.h"

using cuse::default_control_path;
using cuse::make_runtime_directory;
using cuse::runtime_directory;
using cuse::runtime_name;
using unit::Environment;

TEST(RuntimeName, IsThePathWithDashes) {
  EXPECT_EQ(runtime_name("/dev/fb0"), "dev-fb0");
  EXPECT_EQ(runtime_name("/tmp/a/b/fb"), "tmp-a-b-fb");
}

TEST(RuntimeName, PathsThatDifferInDashAndSlashDoNotCollide) {
  const std::set<std::string> names{runtime_name("/a/b/c"), runtime_name("/a-b/c"), runtime_name("/a/b-c"),
                                    runtime_name("/a-b-c")};
  EXPECT_EQ(names.size(), 4U);
}

TEST(RuntimeName, LongPathsThatEndAlikeDoNotCollide) {
  const std::string end = std::string(60, 'x') + "/fb0";
  EXPECT_NE(runtime_name("/a" + end), runtime_name("/b" + end));
}

TEST(RuntimeName, IsStable) {
  EXPECT_EQ(runtime_name("/tmp/a-b"), "tmp-a-b-600f1214");
  EXPECT_EQ(runtime_name("/tmp/a-b"), runtime_name("/tmp/a-b"));
}

TEST(RuntimeName, LongPathIsCut) {
  EXPECT_LE(runtime_name("/" + std::string(4000, 'a')).size(), 57U);
}

TEST(RuntimeName, RootFolderHasAName) {
  EXPECT_EQ(runtime_name("/"), "root");
}

RC_GTEST_PROP(RuntimeName, IsAShortAndUniqueFileName, ()) {
  const auto path = [] {
    const auto characters = rc::gen::elementOf(std::string("ab-/"));
    const auto text = *rc::gen::container<std::string>(characters);
    std::string absolute = "/a";
    for (const char character : text) {
      if (character != '/' || absolute.back() != '/') absolute += character;
    }
    return absolute + "z";
  };
  const std::string one = path();
  const std::string other = path();
  RC_ASSERT(runtime_name(one).find('/') == std::string::npos);
  RC_ASSERT(!runtime_name(one).empty());
  RC_ASSERT(runtime_name(one).size() + std::string("/run/fbemu/.sock").size() <= 107U);
  RC_ASSERT((runtime_name(one) == runtime_name(other)) == (one == other));
}

TEST(RuntimeDirectory, IsInRunForRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const Environment variable("XDG_RUNTIME_DIR", "/elsewhere");
  EXPECT_EQ(runtime_directory(), "/run/fbemu");
  EXPECT_EQ(default_control_path("/dev/fb0"), "/run/fbemu/dev-fb0.sock");
}

namespace {

class RuntimeDirectoryOfAUser : public testing::Test {
 protected:
  unit::UnprivilegedUser user;
  unit::TemporaryFolder folder;
};

}  // namespace

TEST_F(RuntimeDirectoryOfAUser, IsInXdgRuntimeDir) {
  const Environment variable("XDG_RUNTIME_DIR", folder.path());
  EXPECT_EQ(runtime_directory(), folder.path() + "/fbemu");
  EXPECT_EQ(default_control_path("/dev/fb0"), folder.path() + "/fbemu/dev-fb0.sock");
}

TEST_F(RuntimeDirectoryOfAUser, IsInTmpIfXdgRuntimeDirIsMissingOrRelative) {
  const std::string in_tmp = "/tmp/fbemu-" + std::to_string(::geteuid());
  {
    const Environment variable("XDG_RUNTIME_DIR", std::nullopt);
    EXPECT_EQ(runtime_directory(), in_tmp);
  }
  for (const char* relative : {"", "here"}) {
    const Environment variable("XDG_RUNTIME_DIR", relative);
    EXPECT_EQ(runtime_directory(), in_tmp);
  }
}

TEST_F(RuntimeDirectoryOfAUser, IsMadeForTheUserAlone) {
  const Environment variable("XDG_RUNTIME_DIR", folder.path());
  make_runtime_directory();
  make_runtime_directory();
  struct stat status {};
  ASSERT_EQ(::stat(folder.file("fbemu").c_str(), &status), 0);
  EXPECT_TRUE(S_ISDIR(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(RuntimeDirectoryOfAUser, FileOrLinkInItsPlaceReturnsEperm) {
  const Environment variable("XDG_RUNTIME_DIR", folder.path());
  std::ofstream(folder.file("fbemu")) << "";
  EXPECT_EQ(unit::thrown_by(make_runtime_directory).code, EPERM);
  std::filesystem::remove(folder.file("fbemu"));
  std::filesystem::create_directory(folder.file("real"));
  std::filesystem::create_symlink("real", folder.file("fbemu"));
  EXPECT_EQ(unit::thrown_by(make_runtime_directory).code, EPERM);
}

TEST_F(RuntimeDirectoryOfAUser, MissingXdgRuntimeDirReturnsEnoentAndThePath) {
  const Environment variable("XDG_RUNTIME_DIR", folder.file("missing"));
  const auto thrown = unit::thrown_by(make_runtime_directory);
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says(folder.file("missing") + "/fbemu")) << thrown.what;
}

TEST(OwnFolder, WritableByOthersIsClosedToThem) {
  const unit::TemporaryFolder folder;
  ASSERT_EQ(::mkdir(folder.file("fbemu").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(folder.file("fbemu").c_str(), 0777), 0);
  cuse::make_own_folder(folder.file("fbemu"), 0755);
  struct stat status {};
  ASSERT_EQ(::stat(folder.file("fbemu").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
}

TEST(OwnFolder, OfAnotherUserReturnsEperm) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, who can give a folder away";
  const unit::TemporaryFolder folder;
  ASSERT_EQ(::mkdir(folder.file("fbemu").c_str(), 0700), 0);
  ASSERT_EQ(::chown(folder.file("fbemu").c_str(), unit::other_user, unit::other_user), 0);
  EXPECT_EQ(unit::thrown_by([&] { cuse::make_own_folder(folder.file("fbemu"), 0755); }).code, EPERM);
}

TEST(OwnFolder, LinkReturnsEperm) {
  const unit::TemporaryFolder folder;
  ASSERT_EQ(::mkdir(folder.file("real").c_str(), 0700), 0);
  ASSERT_EQ(::symlink("real", folder.file("fbemu").c_str()), 0);
  EXPECT_EQ(unit::thrown_by([&] { cuse::make_own_folder(folder.file("fbemu"), 0755); }).code, EPERM);
}
