#include "cuse/node/served_path.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "cuse/service/runtime_files.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/node_fixture.h"
#include "tests/support/thrown.h"

using unit::ChildProcess;
using unit::Pipe;
using unit::TakenPath;

namespace {

class NodeTest : public unit::NodeFixture {
 protected:
  /// Runs a daemon that takes `device`, and kills it; it has no guard.
  void leave_behind_by_killed_daemon() {
    Pipe news;
    ChildProcess daemon([&] {
      const TakenPath node(device);
      news.put('r');
      unit::wait_to_be_killed();
      return 0;
    });
    ASSERT_EQ(news.get(), 'r');
    daemon.kill();
  }
};

}  // namespace

TEST_F(NodeTest, MissingFileIsMadeAndRemoved) {
  {
    const TakenPath node(device);
    EXPECT_TRUE(node.created());
    EXPECT_EQ(node.path(), device);
    EXPECT_TRUE(std::filesystem::is_regular_file(device));
  }
  EXPECT_FALSE(exists(device));
}

TEST_F(NodeTest, ExistingFileIsKept) {
  make_file(device);
  {
    const TakenPath node(device);
    EXPECT_FALSE(node.created());
  }
  EXPECT_EQ(std::filesystem::file_size(device), 8U);
}

TEST_F(NodeTest, CharacterDeviceKeepsOwnerAndPermissions) {
  const TakenPath node("/dev/zero");
  EXPECT_FALSE(node.created());
  EXPECT_EQ(node.path(), "/dev/zero");
  EXPECT_EQ(node.permissions(), 0666U);
  EXPECT_EQ(node.uid(), 0U);
}

TEST_F(NodeTest, CoveredFileGivesOwnerAndPermissions) {
  make_file(device);
  ASSERT_EQ(::chmod(device.c_str(), 0640), 0);
  const TakenPath node(device);
  EXPECT_EQ(node.permissions(), 0640U);
  EXPECT_EQ(node.uid(), ::geteuid());
  EXPECT_EQ(node.gid(), ::getegid());
}

TEST_F(NodeTest, NewFileIsForRootAndVideoOrForTheUserOnly) {
  const TakenPath node(device);
  EXPECT_EQ(node.uid(), ::geteuid());
  if (::geteuid() == 0) {
    const group* video = ::getgrnam("video");
    EXPECT_EQ(node.permissions(), 0660U);
    EXPECT_EQ(node.gid(), video != nullptr ? video->gr_gid : ::getegid());
  } else {
    EXPECT_EQ(node.permissions(), 0600U);
    EXPECT_EQ(node.gid(), ::getegid());
  }
}

TEST_F(NodeTest, NewFileBelowTheMountIsClosedToOthers) {
  const TakenPath node(device);
  struct stat status {};
  ASSERT_EQ(::stat(device.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
}

TEST_F(NodeTest, RelativePathBecomesAbsolute) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const TakenPath node("fb0");
  std::filesystem::current_path(here);
  EXPECT_EQ(node.path(), device);
}

TEST_F(NodeTest, LinkToAFolderIsResolved) {
  std::filesystem::create_directory(folder.file("real"));
  std::filesystem::create_symlink("real", folder.file("link"));
  EXPECT_EQ(TakenPath(folder.file("link/fb0")).path(), folder.file("real/fb0"));
}

TEST_F(NodeTest, LinkToADeviceIsResolved) {
  make_file(device);
  std::filesystem::create_symlink("fb0", folder.file("fb"));
  {
    const TakenPath node(folder.file("fb"));
    EXPECT_EQ(node.path(), device);
    EXPECT_EQ(unit::thrown_by([&] { const TakenPath second(device); }).code, EBUSY);
  }
  EXPECT_TRUE(exists(folder.file("fb")));
  EXPECT_TRUE(exists(device));
}

TEST_F(NodeTest, SecondLockOnThePathReturnsEbusyAndTheProcess) {
  const TakenPath first(device);
  const auto thrown = unit::thrown_by([&] { const TakenPath second(device); });
  EXPECT_EQ(thrown.code, EBUSY);
  EXPECT_TRUE(
      thrown.says(device + " is served by another fbemud (process " + std::to_string(::getpid()) + ")"))
      << thrown.what;
  EXPECT_TRUE(exists(device)) << "the refused daemon removes nothing";
  EXPECT_TRUE(exists(first.lock_path()));
}

TEST_F(NodeTest, SecondLockInAnotherProcessReturnsEbusy) {
  const TakenPath first(device);
  ChildProcess other(
      [&] { return unit::thrown_by([&] { const TakenPath second(device); }).code == EBUSY ? 0 : 1; });
  EXPECT_EQ(other.wait(), 0);
}

TEST_F(NodeTest, PathIsFreeAfterRelease) {
  { const TakenPath first(device); }
  const TakenPath second(device);
  EXPECT_TRUE(second.created());
}

TEST_F(NodeTest, LockFileIsRemovedWithIt) {
  std::string lock;
  {
    const TakenPath node(device);
    lock = node.lock_path();
    EXPECT_EQ(lock, cuse::runtime_directory() + "/" + cuse::runtime_name(device) + ".lock");
    EXPECT_TRUE(exists(lock));
  }
  EXPECT_FALSE(exists(lock));
}

TEST_F(NodeTest, SecondRemovalKeepsTheFilesOfTheNextDaemon) {
  TakenPath first(device);
  first.remove();
  const TakenPath second(device);
  first.remove();
  EXPECT_TRUE(exists(device));
  EXPECT_TRUE(exists(second.lock_path()));
}

TEST_F(NodeTest, FileThatReplacedTheMadeFileIsKept) {
  {
    const TakenPath node(device);
    make_file(folder.file("other"));
    std::filesystem::rename(folder.file("other"), device);
  }
  EXPECT_EQ(std::filesystem::file_size(device), 8U);
}

TEST_F(NodeTest, FileMadeByAKilledDaemonIsAdoptedAndRemoved) {
  leave_behind_by_killed_daemon();
  ASSERT_TRUE(exists(device));
  {
    const TakenPath node(device);
    EXPECT_TRUE(node.created());
  }
  EXPECT_FALSE(exists(device));
}

TEST_F(NodeTest, FileCoveredByAKilledDaemonIsKept) {
  make_file(device);
  leave_behind_by_killed_daemon();
  {
    const TakenPath node(device);
    EXPECT_FALSE(node.created());
  }
  EXPECT_TRUE(exists(device));
}

TEST_F(NodeTest, FileThatReplacedThatOfAKilledDaemonIsKept) {
  leave_behind_by_killed_daemon();
  make_file(folder.file("other"));
  std::filesystem::rename(folder.file("other"), device);
  {
    const TakenPath node(device);
    EXPECT_FALSE(node.created());
  }
  EXPECT_TRUE(exists(device));
}

TEST_F(NodeTest, FirstFreeDeviceIsOneOfThirtyTwo) {
  try {
    const std::string free = cuse::ServedPath::first_free_device();
    EXPECT_TRUE(std::regex_match(free, std::regex("/dev/fb([0-9]|[12][0-9]|3[01])"))) << free;
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOSPC);
  }
}
